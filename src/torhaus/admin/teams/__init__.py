"""Teams of the database: who is in them, and what they give."""
