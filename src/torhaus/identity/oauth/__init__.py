"""The OAuth 2.1 authorization server's decisions: documents, addresses, clients, grants. Pure."""
