"""Many sessions, and a crash under load."""
