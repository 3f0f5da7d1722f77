"""The trace a caller's request belongs to (W3C Trace Context, `traceparent`)."""

import re

# Later versions may say more behind the flags; version 00 says nothing else, and ff is none.
_FIRST = re.compile(r"00-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}").fullmatch
_LATER = re.compile(
    r"(?!00|ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
    r"(?:-[\x20-\x7e]*)?"
).fullmatch
_MOST = 256


def trace_id(parent: object) -> str:
    """32 hexadecimal digits; empty for whatever is no valid `traceparent`."""
    if not isinstance(parent, str) or len(parent) > _MOST:
        return ""
    found = _FIRST(parent) or _LATER(parent)
    return "" if found is None else found[1]
