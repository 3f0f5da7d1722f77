"""The steps. Each only goes forward and runs on SQLite and on PostgreSQL."""
