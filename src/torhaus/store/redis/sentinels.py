"""Asking sentinels which server is the primary now."""

import ssl
from functools import partial

from torhaus.model.redis import RedisSettings
from torhaus.store.redis.dial import Address, asked, dial
from torhaus.store.redis.wire import Unreachable, Wire


async def primary(settings: RedisSettings, secure: ssl.SSLContext | None) -> Address:
    """Where it is by the first sentinel that says so. Raises Unreachable.

    It may be a server that is gone or a replica by now: whoever dials it finds out.
    """
    why = "no sentinel is configured"
    make = partial(Wire, settings.connect_timeout, _nothing, _nothing)
    for where in settings.addresses:
        try:
            wire = await dial(
                where, settings.sentinel_login, secure, make, settings.connect_timeout
            )
            try:
                found = await asked(wire, "SENTINEL", "GET-MASTER-ADDR-BY-NAME", settings.primary)
            finally:
                wire.close()
        except Unreachable as error:
            why = str(error)
            continue
        if found is not None:
            return found[0].decode(), int(found[1])
        why = f"{where[0]}:{where[1]}: it knows no primary called {settings.primary}"
    raise Unreachable(why)


def _nothing(_something: object) -> None:
    """Nothing to do."""
