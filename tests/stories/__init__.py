"""What the product promises, told from end to end."""
