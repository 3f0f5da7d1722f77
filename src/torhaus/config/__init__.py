"""The file: its schema, its reading, and what it compiles to."""
