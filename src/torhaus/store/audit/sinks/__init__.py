"""Audit records on their way elsewhere: read from segments, delivered, and remembered."""
