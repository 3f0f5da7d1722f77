"""Torhaus: the gatehouse between AI clients and the MCP servers of a team."""

__version__ = "0.1.0"
