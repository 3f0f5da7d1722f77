"""The credential a request carries, if any."""

from collections.abc import Iterable

import msgspec


class Unclear(msgspec.Struct, frozen=True):
    """What was sent is no usable credential, and must not pass for none. `reason`: a sentence."""

    reason: str


_TWO = Unclear("two different credentials were sent; send one, in one header")
_EMPTY = Unclear("an empty credential was sent; is the variable that holds the key set?")
_SCHEME = Unclear("the Authorization header must say Bearer and a key, as in: Bearer thk_...")


def credential(headers: Iterable[tuple[bytes, bytes]]) -> bytes | Unclear | None:
    """The key or token in `Authorization: Bearer`, `apikey` or `X-API-Key`; names in lower case.

    None only when none of these headers was sent: whoever sends a broken or a second, different
    credential is never taken for a caller without one. The same one twice is fine.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            sent = _bearer(value)
        elif name in (b"apikey", b"x-api-key"):
            sent = value.strip(b" \t") or _EMPTY
        else:
            continue
        if isinstance(sent, Unclear):
            return sent
        if found is not None and sent != found:
            return _TWO
        found = sent
    return found


def _bearer(value: bytes) -> bytes | Unclear:
    """RFC 6750 2.1; the scheme's case does not matter (RFC 9110 11.1)."""
    scheme, _, token = value.strip(b" \t").partition(b" ")
    if scheme.lower() != b"bearer":
        return _SCHEME if scheme else _EMPTY
    return token.strip(b" \t") or _EMPTY
