"""What the tools of well-known servers do, as literals: nothing is read from disk."""
