"""`torhaus audit`: look at, ask, prove, export and keep the audit log."""
