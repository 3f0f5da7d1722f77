"""Opening a connection: TLS, who we are, and the protocol's version."""

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

from hiredis import ReplyError

from torhaus.model.redis import Login
from torhaus.store.redis.wire import Unreachable, Wire

Address = tuple[str, int]


async def dial(
    address: Address,
    login: Login | None,
    secure: ssl.SSLContext | None,
    wire: Callable[[], Wire],
    timeout: float,
) -> Wire:
    """A connection on which questions may be asked. Raises Unreachable."""
    host, port = address
    loop = asyncio.get_running_loop()
    made: Wire | None = None
    try:
        async with asyncio.timeout(timeout):
            _, made = await loop.create_connection(wire, host, port, ssl=secure)
            hello: tuple[str, ...] = ("HELLO", "3")
            if login is not None:
                hello += ("AUTH", login.user, login.password.reveal())
            await made.call(*hello, "SETNAME", "torhaus")
    except (OSError, TimeoutError, ReplyError, Unreachable, asyncio.CancelledError) as error:
        if made is not None:
            made.close()
        if isinstance(error, asyncio.CancelledError):
            raise
        raise Unreachable(f"{host}:{port}: {_why(error)}") from error
    return made


def _why(error: BaseException) -> str:
    """What is wrong in a sentence; what the server says of a login holds no password."""
    if isinstance(error, TimeoutError):
        return "it does not answer in time"
    return str(error) or type(error).__name__


async def asked(wire: Wire, *command: str) -> Any:
    """One question while a connection is being set up. Raises Unreachable."""
    try:
        return await wire.call(*command)
    except ReplyError as error:
        raise Unreachable(str(error)) from error
