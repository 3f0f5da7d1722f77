"""Heads of the journal, brought to those who keep them."""
