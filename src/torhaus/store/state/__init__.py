"""The state database: requests, approvals, grants. SQLite in a file, or PostgreSQL."""
