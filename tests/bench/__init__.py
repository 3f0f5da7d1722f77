"""The bench judges what it measured, not what it hoped."""
