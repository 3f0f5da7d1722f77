"""Getting tokens for servers: discovery, registration, grants (MCP authorization, client side)."""
