"""What stands in the place of what was masked."""

import re

MASK = re.compile(r"\[redacted:[a-z0-9][a-z0-9._-]{0,39}\]")
_BEGIN = "[redacted:"
NAMED = "•••"
"""What the audit log shows under a name that tells of a secret."""


def mask(kind: str) -> str:
    return f"{_BEGIN}{kind}]"


def is_masked(value: str) -> bool:
    return value.startswith(_BEGIN)
