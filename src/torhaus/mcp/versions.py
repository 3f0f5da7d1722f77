"""Protocol versions and how to tell the era of a message."""

LEGACY = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
LATEST_LEGACY = LEGACY[0]
MODERN = "2026-07-28"

VERSION_KEY = "io.modelcontextprotocol/protocolVersion"
CAPABILITIES_KEY = "io.modelcontextprotocol/clientCapabilities"
LOG_LEVEL_KEY = "io.modelcontextprotocol/logLevel"


def negotiate(requested: object) -> str:
    """The version an `initialize` gets: the requested one if we know it, else our latest."""
    return requested if isinstance(requested, str) and requested in LEGACY else LATEST_LEGACY
