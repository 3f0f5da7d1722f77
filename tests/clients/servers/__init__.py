"""Servers to put behind the gate, each started as a program."""
