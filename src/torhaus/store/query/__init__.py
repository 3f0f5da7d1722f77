"""Questions about the audit log in SQL: each is answered by a process that can do little else."""
