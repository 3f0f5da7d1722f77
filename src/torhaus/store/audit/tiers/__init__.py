"""Day files of the audit log: made of segments, moved by age, fetched, and ended."""
