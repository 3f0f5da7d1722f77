"""What is written down about a call, and what is left out. Pure."""
