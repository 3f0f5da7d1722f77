"""The servers behind the gate: streamable HTTP, HTTP+SSE, stdio."""
