"""The command line, mostly as a program of its own."""
