"""People are asked in: acts, letters, and what becomes of both."""
