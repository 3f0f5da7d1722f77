"""A result that says it was kept: `_meta` with `torhaus/cache`."""

from functools import lru_cache
from math import ceil

import msgspec

MARK = "torhaus/cache"
_OPENING = b'{"_meta":{'
_CLOSING = ord("}")
_decode = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_encode = msgspec.json.encode


def prepared(result: bytes) -> bytes:
    """The same result with its `_meta` first, so that it can be marked without being read again.

    A mark that the server itself put there is left out. Raises msgspec.MsgspecError, or
    UnicodeDecodeError, when the text is no JSON object with an object for `_meta`.
    """
    members = _decode(result)
    raw = members.pop("_meta", None)
    meta = {} if raw is None else _decode(raw)
    meta.pop(MARK, None)
    return _encode({"_meta": meta, **members})


def marked(result: bytes, age: float, lasts: float, *, hit: bool = True) -> bytes:
    """A prepared result with its mark. `age` and `lasts` (until it expires): seconds.

    Any other text is returned as it is.
    """
    if not result.startswith(_OPENING):
        return result
    mark = _mark(hit, int(age) if age > 0.0 else 0, ceil(lasts) if lasts > 0.0 else 0)
    if result[10] == _CLOSING:
        mark = mark[:-1]
    return mark + result[10:]  # once: results are long


@lru_cache(maxsize=1024)
def _mark(hit: bool, age: int, lasts: int) -> bytes:  # noqa: FBT001 -- what the mark says
    """The beginning of a marked result, up to the comma."""
    word = b"true" if hit else b"false"
    return b'{"_meta":{"torhaus/cache":{"hit":%b,"age":%d,"expires":%d},' % (word, age, lasts)
