"""The name an answer is kept under."""

from collections.abc import Mapping
from hashlib import blake2b
from math import isfinite

import msgspec

from torhaus.model.call import Call
from torhaus.model.servers import HttpAddress, Server

_JSON = msgspec.json.Encoder(order="sorted")


def canonical(value: object) -> bytes:
    """One text per decoded JSON value: equal values give equal text, different ones never do.

    1, 1.0, "1" and true differ (a server may tell them apart); the order of keys does not count,
    and text is compared as it is, not normalised. Raises ValueError for a value that is not JSON.
    """
    try:
        text = _JSON.encode(value)
        # The encoder writes infinities as null, and no decoder of ours makes them.
        whole = b"null" not in text or _finite(value)
    except (TypeError, UnicodeEncodeError, RecursionError) as error:
        raise ValueError("not a JSON value") from error
    if not whole:
        raise ValueError("infinite numbers are no JSON")
    return text


def key(call: Call) -> bytes:
    """32 bytes over everything an answer to a tools/call depends on but the caller.

    That is where the server is and with which credential, its environment, the tool and its
    arguments. Raises ValueError for arguments that are not JSON.
    """
    server = call.server
    whole = [
        server.name,
        _place(server),
        [] if server.environment is None else [server.environment],
        server.credential,
        call.operation,
        call.arguments,
    ]
    return blake2b(canonical(whole), digest_size=32).digest()


def _place(server: Server) -> list[object]:
    address = server.address
    if isinstance(address, HttpAddress):
        return ["http", address.url]
    return [
        "stdio",
        address.command,
        address.args,
        *(() if address.cwd is None else (address.cwd,)),
    ]


def _finite(value: object) -> bool:
    if isinstance(value, float):
        return isfinite(value)
    if isinstance(value, Mapping):
        return all(map(_finite, value.values()))
    return not isinstance(value, list | tuple) or all(map(_finite, value))
