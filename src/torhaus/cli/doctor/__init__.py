"""What `torhaus doctor` looks at, one subject a file."""
