"""Acts of the authorization server: clients, consents, codes, tokens, and how they end."""
