"""Values of `Mcp-*` headers: the base64 sentinel of 2026-07-28, both directions."""

import base64
import binascii

_PREFIX, _SUFFIX = "=?base64?", "?="


def decode(value: bytes) -> str:
    """The text a header value stands for.

    Raises ValueError when it is not printable ASCII, or when what a sentinel holds is not canonical
    base64 of UTF-8.
    """
    try:
        text = value.decode("ascii")
    except UnicodeDecodeError as error:
        raise ValueError("a header value must be ASCII; use the base64 form") from error
    if not text.isprintable():
        raise ValueError("a header value must be printable; use the base64 form")
    whole = len(text) >= len(_PREFIX) + len(_SUFFIX)
    if not (whole and text.startswith(_PREFIX) and text.endswith(_SUFFIX)):
        return text
    inner = text[len(_PREFIX) : -len(_SUFFIX)]
    try:
        raw = base64.b64decode(inner, validate=True)
        if base64.b64encode(raw).decode() != inner:
            raise ValueError("not canonical base64")
        return raw.decode("utf-8")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise ValueError("not base64 of UTF-8 text") from error


def encode(text: str) -> str:
    """The header value for a text: itself where it is safe, else the sentinel."""
    safe = text.isascii() and text.isprintable() and text == text.strip()
    if safe and text and not text.startswith(_PREFIX):
        return text
    return f"{_PREFIX}{base64.b64encode(text.encode()).decode()}{_SUFFIX}"
