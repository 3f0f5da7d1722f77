"""The credential a request carries, if any."""

from collections.abc import Iterable
from urllib.parse import parse_qsl

import msgspec

from torhaus.identity.keys import ACCESS, PREFIXES


class Unclear(msgspec.Struct, frozen=True):
    """What was sent is no usable credential, and must not pass for none. `reason`: a sentence."""

    reason: str


_TWO = Unclear("two different credentials were sent; send one, in one header")
_EMPTY = Unclear("an empty credential was sent; is the variable that holds the key set?")
_MISPLACED = Unclear("an access token goes in one place: send it as `Authorization: Bearer TOKEN`")
_SCHEME = Unclear("the Authorization header must say Bearer and a key, as in: Bearer thk_...")


_IN_QUERY = frozenset(
    ("access_token", "api_key", "apikey", "authorization", "bearer", "key", "token", "x-api-key")
)
_OURS = PREFIXES
_OWN = (b"apikey", b"x-api-key")
_TOKEN = ACCESS.encode()


def in_query(target: bytes) -> bool:
    """Whether a URL carries a credential, which would stay in logs and histories."""
    _, question, query = target.partition(b"?")
    if not question:
        return False
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    return any(name.lower() in _IN_QUERY or value.startswith(_OURS) for name, value in pairs)


def credential(headers: Iterable[tuple[bytes, bytes]]) -> bytes | Unclear | None:
    """The key in `Authorization: Bearer`, `apikey` or `X-API-Key`; names in lower case.

    Access tokens are taken from `Authorization` alone (RFC 6750 2, OAuth 2.1 5.1): whoever copies
    one to where keys stand keeps it longer than it is good. None only when none of these headers
    was sent: whoever sends a broken or a second, different credential is never taken for a caller
    without one. The same key twice is fine.
    """
    found: bytes | None = None
    for name, value in headers:
        if name == b"authorization":
            sent = _bearer(value)
        elif name in _OWN:
            sent = _own(value)
        else:
            continue
        if isinstance(sent, Unclear):
            return sent
        if found is not None and sent != found:
            return _TWO
        found = sent
    return found


def shown(headers: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
    """Every credential that stands in headers, whether it is taken from there or not."""
    found = [
        _bearer(value) if name == b"authorization" else value.strip(b" \t")
        for name, value in headers
        if name == b"authorization" or name in _OWN
    ]
    return [each for each in found if isinstance(each, bytes) and each]


def _own(value: bytes) -> bytes | Unclear:
    """Of a header that is for keys and nothing else."""
    sent = value.strip(b" \t")
    if sent.startswith(_TOKEN):
        return _MISPLACED
    return sent or _EMPTY


def _bearer(value: bytes) -> bytes | Unclear:
    """RFC 6750 2.1; the scheme's case does not matter (RFC 9110 11.1)."""
    scheme, _, token = value.strip(b" \t").partition(b" ")
    if scheme.lower() != b"bearer":
        return _SCHEME if scheme else _EMPTY
    return token.strip(b" \t") or _EMPTY
