"""The name an answer is kept under."""

from collections.abc import Iterable, Mapping
from hashlib import blake2b
from math import isfinite
from typing import Any

import msgspec

from torhaus.model.caching import CacheRule
from torhaus.model.call import Call

LONGEST = 256
"""Bytes of a text that is its own key; of a longer one, a digest is. Hashing costs more."""

_encode = msgspec.json.Encoder(order="sorted").encode


def canonical(value: object) -> bytes:
    """One text per decoded JSON value: equal values give equal text, different ones never do.

    1, 1.0, "1" and true differ (a server may tell them apart); the order of keys does not count,
    and text is compared as it is, not normalised. Raises ValueError for a value that is not JSON.
    """
    try:
        text = _encode(value)
        # The encoder writes infinities as null, and no decoder of ours makes them.
        whole = text.find(b"null") < 0 or _finite(value)
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError("not a JSON value") from error
    if not whole:
        raise ValueError("infinite numbers are no JSON")
    return text


def key(call: Call, rule: CacheRule | None = None, also: Iterable[object] = ()) -> bytes:
    """At most 256 bytes over everything an answer to a tools/call depends on.

    That is the server's name, its environment, the address and the credential used there (the
    digest of both), the tool, its arguments as far as `rule` has them count, and `also`.
    Raises ValueError for arguments that are not JSON.
    """
    server = call.server
    environment = server.environment
    arguments = call.arguments
    if rule is not None and (rule.only is not None or rule.ignore):
        arguments = counting(arguments, rule)
    whole = [
        server.name,
        False if environment is None else environment,
        server.credential,
        call.operation,
        arguments,
        *also,
    ]
    text = canonical(whole)
    return text if len(text) <= LONGEST else short(text)


def short(text: bytes) -> bytes:
    """The canonical text of an array if it is short, else a digest of it."""
    # A text begins with `[`, so that no digest is ever taken for one.
    return text if len(text) <= LONGEST else b"#" + blake2b(text, digest_size=32).digest()


def counting(arguments: Mapping[str, Any], rule: CacheRule) -> dict[str, Any]:
    """The arguments that tell calls apart under this rule."""
    return {
        name: value
        for name, value in arguments.items()
        if name not in rule.ignore and (rule.only is None or name in rule.only)
    }


def _finite(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    return not isinstance(value, list | tuple) or all(map(_finite, value))
