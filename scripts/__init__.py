"""Acceptance with programs from outside, and what is measured apart from the bench."""
