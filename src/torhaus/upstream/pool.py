"""Connections to one origin: kept for reuse, counted, timed (RFC 9112 section 9)."""

import asyncio
import os
import socket
import ssl
from collections import OrderedDict

from torhaus.model.ports import UpstreamError
from torhaus.upstream.believed import UnusableError, believing
from torhaus.upstream.faults import FaultError
from torhaus.upstream.http import ConnectError, Connection, Target
from torhaus.upstream.plainheads import PlainHeads

IDLE = 4.0
"""Seconds an idle connection is trusted when the server names no `Keep-Alive: timeout`."""
SWEEP = 0.5
CLOSING = "the gateway is shutting down"


def trust(target: Target, ca_file: str | None) -> ssl.SSLContext | None:
    """Whom to believe: the system's authorities and those in `ca_file`. None without TLS.

    Raises UpstreamError when `ca_file` cannot be used.
    """
    if not target.tls:
        return None
    try:
        return believing(ca_file)
    except UnusableError as error:
        raise FaultError(f"its ca_file cannot be used: {error}") from error


class Pool:
    """Connections to one origin, the last used first. Owned by one event loop.

    `limit`: most connections at once; further requests wait their turn, at most `connect_timeout`.
    `tls`: what `trust` says.
    """

    def __init__(
        self,
        target: Target,
        *,
        connect_timeout: float,
        tls: ssl.SSLContext | None,
        limit: int = 512,
    ) -> None:
        self.target = target
        self._connect_timeout = connect_timeout
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self.heads = PlainHeads()
        self._tls = tls
        self._limit = limit
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening: set[asyncio.Task[Connection]] = set()
        self._waiting: OrderedDict[asyncio.Future[Connection], None] = OrderedDict()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def idle(self) -> Connection | None:
        """A connection ready for use, or None. Costs no wait."""
        now = self.now()
        while self._idle:
            connection = self._idle.pop()
            if connection.transport.is_closing():
                continue
            if connection.idle_until > now:
                return connection
            connection.transport.close()
        return None

    async def fresh(self) -> Connection:
        """A new connection; when there are too many, the next that is free. Raises ConnectError.

        Whoever waits is served in turn. A caller that gives up leaves the connection being opened
        for it to others.
        """
        if self._closed:
            raise ConnectError(CLOSING)
        turn: asyncio.Future[Connection] = self._loop.create_future()
        self._waiting[turn] = None
        full = not self._fill()
        patience = self._connect_timeout if full else 2 * self._connect_timeout
        alarm = self._loop.call_later(patience, _ring, turn)
        try:
            connection = await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled() and turn.exception() is None:
                self._hand(turn.result())
            raise
        finally:
            alarm.cancel()
            self._waiting.pop(turn, None)
        if connection.transport.is_closing():
            raise ConnectError(f"{self.target.authority} closes connections at once")
        return connection

    def _fill(self) -> bool:
        """Open connections for those who wait. False: there is no room for all."""
        while len(self._waiting) > len(self._opening):
            if self._closed or len(self._all) + len(self._opening) >= self._limit:
                if self._idle:
                    self._idle.pop(0).transport.abort()  # makes room for one that is new
                return False
            # A task of its own: a call's drive has none, and the timeout asks for one.
            task = self._loop.create_task(self._open())
            self._opening.add(task)
            task.add_done_callback(self._opened)
        return True

    async def _open(self) -> Connection:
        where = self.target
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self),
                    where.host,
                    where.port,
                    ssl=self._tls,
                    server_hostname=where.host if where.tls else None,
                )
        except TimeoutError as error:
            raise ConnectError(
                f"no connection to {where.authority} within {self._connect_timeout:g} s"
            ) from error
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or "handshake failed"
            raise ConnectError(f"TLS with {where.authority} failed: {reason}") from error
        except OSError as error:
            raise ConnectError(f"no connection to {where.authority}: {_reason(error)}") from error
        return connection

    def _opened(self, task: "asyncio.Task[Connection]") -> None:
        self._opening.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is None and not task.cancelled():
            self._add(task.result())
        elif error is not None and self._waiting:
            _fail(self._waiting.popitem(last=False)[0], error)
        self._fill()

    def _add(self, connection: Connection) -> None:
        if self._closed:
            connection.transport.abort()
            return
        connection.idle_until = self.now() + IDLE
        if not connection.transport.is_closing():  # else it may have been forgotten already
            self._all.add(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(SWEEP, self._sweep)
        self._hand(connection)

    def _hand(self, connection: Connection) -> None:
        """To whoever waits longest, or to the idle ones."""
        while self._waiting:
            turn, _ = self._waiting.popitem(last=False)
            if not turn.done():
                turn.set_result(connection)
                return
        self._idle.append(connection)

    def give_back(self, connection: Connection, keep_alive: bytes | None) -> None:
        trusted = IDLE if keep_alive is None else _trust(keep_alive)
        connection.idle_until = self.now() + trusted
        if self._waiting:
            self._hand(connection)
        else:
            self._idle.append(connection)

    def forget(self, connection: Connection) -> None:
        self._all.discard(connection)
        if self._waiting:
            self._fill()

    def _sweep(self) -> None:
        """One timer for all: silent exchanges time out, idle connections are let go."""
        self._sweeper = None
        now = self.now()
        for connection in list(self._all):
            if connection.deadline is not None and connection.deadline < now:
                waited = connection.patience or 0.0
                connection.give_up(FaultError(f"it did not answer within {waited:g} s"))
        stale = [each for each in self._idle if each.idle_until <= now]
        for connection in stale:
            self._idle.remove(connection)
            connection.transport.close()
        if self._all and not self._closed:
            self._sweeper = self._loop.call_later(SWEEP, self._sweep)

    def close(self) -> None:
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for task in self._opening:
            task.cancel()
        for turn in self._waiting:
            _fail(turn, ConnectError(CLOSING))
        self._waiting.clear()
        self._idle.clear()
        for connection in list(self._all):
            connection.give_up(UpstreamError(CLOSING))


def _ring(turn: "asyncio.Future[Connection]") -> None:
    _fail(turn, ConnectError("all connections to it are in use"))


def _fail(turn: "asyncio.Future[Connection]", error: BaseException) -> None:
    if not turn.done():
        turn.set_exception(error)


def _reason(error: OSError) -> str:
    if isinstance(error, socket.gaierror) or error.errno is None or error.errno < 0:
        return error.strerror or str(error) or type(error).__name__
    return os.strerror(error.errno)


def _trust(keep_alive: bytes) -> float:
    """Seconds to keep an idle connection: a second less than the server says it will."""
    for part in keep_alive.split(b","):
        name, _, value = part.strip().partition(b"=")
        if name.lower() == b"timeout" and value.isdigit():
            return min(float(value[:6]), 120.0) - 1.0
    return IDLE
