"""Servers to stand behind the gate."""
