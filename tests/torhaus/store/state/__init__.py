"""Tests of the state database, on SQLite and on a real PostgreSQL."""
