"""Ways to learn who asks: identity providers and local accounts, behind one port."""
