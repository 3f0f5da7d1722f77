"""The authorization server over HTTP: documents, the consent page, tokens, registrations."""
