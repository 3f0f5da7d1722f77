"""The tests: rooms beside their source, and real clients over real HTTP."""
