"""Acceptance with programs from outside: the official suite, the real Claude Code."""
