"""The requests under way: started, drained at the end, cut when their caller must go."""

import asyncio
from collections.abc import Callable
from contextlib import suppress

import structlog

from torhaus.edge import problems
from torhaus.edge.drive import Drive, Work
from torhaus.edge.exchange import Exchange
from torhaus.edge.reading import Door
from torhaus.edge.streams import Streams
from torhaus.gate.calls import Asking
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError
from torhaus.model.rules import Rules
from torhaus.policy.stops import halted

log = structlog.get_logger()

GONE = "your access has ended, and with it this request; what it began may have been done"
LOOK = 1.5
"""Seconds ahead that are looked for ends of access: until the next look, and somewhat more."""


class UnderWay:
    """Owned by one event loop. `refuse` answers a message that never became a call.

    `ids`: numbers of what went wrong, for the log. `streams`: those that outlive their requests.
    """

    def __init__(self, refuse: Callable[[Door, CallerError], None], ids: Callable[[], str]) -> None:
        self._refuse = refuse
        self._ids = ids
        self._drives: set[Drive[Door | Exchange]] = set()
        self._emptied: asyncio.Event | None = None
        self._rules = Rules(version="")  # those that streams were looked at by last
        self.streams = Streams()

    def spawn(self, door: Door, work: Work) -> None:
        drive: Drive[Door | Exchange] = Drive(door, work, self._ended)
        door.exchange.cancel = drive.cancel
        self._drives.add(drive)
        drive.step()

    def run(self, exchange: Exchange, work: Work) -> None:
        drive: Drive[Door | Exchange] = Drive(exchange, work, self._ended)
        exchange.cancel = drive.cancel
        self._drives.add(drive)
        drive.step()

    def _ended(self, drive: Drive[Door | Exchange], error: Exception | None) -> None:
        self._drives.discard(drive)
        if self._emptied is not None and not self._drives:
            self._emptied.set()
        if error is None:
            return
        subject = drive.subject
        if isinstance(subject, Exchange):
            self.bug(subject, error)
        elif isinstance(error, CallerError):
            self._refuse(subject, error)
        else:
            self.bug(subject.exchange, error)

    def bug(self, exchange: Exchange, error: Exception) -> None:
        number = self._ids()
        log.error("edge.bug", id=number, exc_info=error)
        text = f"something went wrong in the gateway; its log knows more under {number}"
        failed = CallerError(codes.INTERNAL_ERROR, text, status=500)
        if exchange.streaming:
            exchange.end()
        else:
            exchange.answer(*problems.caller_error(failed))

    # -- the end -------------------------------------------------------------------------------

    async def drain(self, seconds: float) -> None:
        """Let calls finish, end streams; after `seconds` cancel what is left."""
        for exchange in list(self.streams):
            if exchange.on_drain is not None:
                exchange.on_drain()
        await self._empty(seconds)
        for drive in list(self._drives):
            drive.cancel()
        await self._empty(1.0)

    async def _empty(self, seconds: float) -> None:
        if not self._drives:
            return
        self._emptied = asyncio.Event()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._emptied.wait()

    def revoke(self, rules: Rules, now: float) -> None:
        """End the streams of callers who may no longer be here: removed, expired, denied.

        This is called every second, so what ends before that is waited for.
        """
        self._rules = rules
        for exchange, stays in list(self.streams.items()):
            self._look(exchange, now)
            until = stays.visitor.until(rules, now)
            if until <= now + LOOK:
                asyncio.get_running_loop().call_later(until - now, self._look, exchange, until)

    def _look(self, exchange: Exchange, now: float) -> None:
        stays = self.streams.get(exchange)
        if stays is None or exchange.on_drain is None or stays.still_valid(self._rules, now):
            return
        exchange.on_drain()

    def recall(self, rules: Rules, now: float) -> None:
        """Other rules are in force: end calls at servers where their callers may be no more.

        So are those at what is stopped. They may finish at the server, as in `cut`.
        """
        for drive in list(self._drives):
            subject = drive.subject
            exchange = subject if isinstance(subject, Exchange) else subject.exchange
            asking = exchange.about
            if asking is None or exchange in self.streams:
                continue
            why = _no_longer(asking, rules, now)
            if why is not None:
                _turn_out(exchange, problems.said(asking, codes.REFUSED, why))

    def cut(self) -> None:
        """Credentials were taken away: end what came with them, at once.

        A call that has gone to its server may finish there; nobody is told what came of it.
        """
        for exchange, stays in list(self.streams.items()):
            if stays.visitor.lease.ended and exchange.on_drain is not None:
                exchange.on_drain()
        for drive in list(self._drives):
            subject = drive.subject
            exchange = subject if isinstance(subject, Exchange) else subject.exchange
            visitor = exchange.head.visitor if isinstance(subject, Exchange) else subject.visitor
            if visitor is not None and visitor.lease.ended:
                error = CallerError(codes.UNAUTHORIZED, GONE, status=401)
                status, body = problems.caller_error(error)
                _turn_out(exchange, body, status)


def _no_longer(asking: Asking, rules: Rules, now: float) -> str | None:
    """Why nobody is told what comes of a call that has begun."""
    server = rules.servers.get(asking.server.name)
    called = asking.request.method == "tools/call"
    tool = asking.request.params.get("name") if called else None
    why = None if server is None else halted(server, tool if isinstance(tool, str) else "", now)
    if why is not None:
        return f"{why} What this call began may have been done."
    if asking.visit is not None and asking.visit.renewed(rules, now) is None:
        return GONE
    return None


def _turn_out(exchange: Exchange, body: bytes, status: int = 200) -> None:
    """What is written to it from now on goes nowhere."""
    if exchange.streaming:
        exchange.event(body)
        exchange.end()
    else:
        exchange.answer(status, body)
