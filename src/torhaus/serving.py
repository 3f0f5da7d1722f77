"""uvicorn's server around a running house: how it starts, ticks and ends."""

import asyncio
import gc
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

import uvicorn
from starlette.types import ASGIApp

from torhaus.config.settings import Settings
from torhaus.edge.wire import Lane

KEEP_ALIVE = 75.0
"""Seconds for which a connection that nobody uses is kept."""
DRAIN = 8.0
"""Seconds calls have to finish when the gateway is told to stop."""
HANDSHAKE = 10.0
"""Seconds a caller has to agree on encryption."""


class Running(Protocol):
    """A house that is open."""

    async def every_second(self, connections: Callable[[], list[Lane]]) -> None:
        """What time brings, until cancelled."""
        ...

    async def drain(self) -> None:
        """Lets calls finish, for as long as they may."""
        ...

    async def close(self) -> None: ...


class Server(uvicorn.Server):
    """uvicorn's server around a house; the house starts before it and ends with it."""

    def __init__(
        self,
        house: Running,
        config: uvicorn.Config,
        ready: Callable[[], None],
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(config)
        if tls is not None:
            config.load()
            config.ssl = tls
        self._house = house
        self._ready = ready
        self._ticking: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        if self.config.ssl is not None:
            await self.show(self.config.ssl)  # uvicorn's own waits a minute for a handshake
        loop = asyncio.get_running_loop()
        self._ticking = loop.create_task(self._house.every_second(self._lanes))
        # The house is built and stays: the collector need not walk it again for every call.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        self._ready()

    async def show(self, tls: ssl.SSLContext) -> None:
        """Serve whoever connects from now on with this; nobody who is connected is disturbed.

        A context in use cannot forget an authority. So others listen on the same sockets with the
        new one before those with the old one stop: nobody is turned away in between.
        """
        self.config.ssl = tls  # whoever comes before it has started is shown this one then
        if not self.started or self.should_exit:
            return
        loop, before = asyncio.get_running_loop(), self.servers

        def protocol() -> asyncio.Protocol:
            return self.config.http_protocol_class(  # type: ignore[call-arg]
                config=self.config,
                server_state=self.server_state,
                app_state=self.lifespan.state,
            )

        self.servers = [
            await loop.create_server(
                protocol,
                sock=socket.socket(fileno=socket.dup(each.fileno())),
                ssl=tls,
                backlog=self.config.backlog,
                ssl_handshake_timeout=HANDSHAKE,
            )
            for server in before
            for each in server.sockets
        ]
        for server in before:
            server.close()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM. Unlike uvicorn's own, an orderly end exits with 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _lanes(self) -> list[Lane]:
        return [each for each in self.server_state.connections if isinstance(each, Lane)]

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        if self._ticking is not None:
            self._ticking.cancel()
        # uvicorn waits for connections, and those wait for calls: both at once, not one by one.
        draining = asyncio.ensure_future(self._house.drain())
        await super().shutdown(sockets)  # type: ignore[arg-type]
        await draining
        await self._house.close()


def configured(entrance: ASGIApp, lane: type[Lane], settings: Settings) -> uvicorn.Config:
    """`lane`: speaks HTTP on each connection, and hands all that is not MCP to `entrance`."""
    return uvicorn.Config(
        entrance,
        host=settings.host,
        port=settings.port,
        http=lane,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=4096,
        timeout_keep_alive=int(KEEP_ALIVE),
        timeout_graceful_shutdown=int(DRAIN) + 1,
    )
