"""A link by URL that finds out by itself what the upstream speaks, and remembers it for a day."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

import structlog

from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink, UpstreamError
from torhaus.model.servers import Era, HttpAddress, Server
from torhaus.model.session import Session
from torhaus.upstream import facts
from torhaus.upstream.checks import ALL, Checked, HttpChecks
from torhaus.upstream.chores import Chores
from torhaus.upstream.exchange import Reply
from torhaus.upstream.faults import FaultError
from torhaus.upstream.httplink import HttpLink

log = structlog.get_logger()

AGAIN = 60.0
"""Seconds between attempts to learn while a known verdict still serves."""
FAREWELL = 1.0
"""Seconds a server has, at the end, to hear that our own session is over."""


class Old:
    """The other transport: `offered` raises UpstreamError where it is not spoken."""

    def __init__(
        self,
        link: Callable[[Server, HttpAddress], Checked],
        offered: Callable[[Server, HttpAddress], Awaitable[None]],
    ) -> None:
        self.link = link
        self.offered = offered


class AutoLink:
    """Streamable HTTP where the upstream has it, else HTTP+SSE through `old` (checklist U1).

    `lifetime`: seconds a verdict is believed.
    """

    def __init__(
        self,
        server: Server,
        address: HttpAddress,
        ids: Callable[[], str],
        old: Old,
        lifetime: float = facts.LIFETIME,
    ) -> None:
        self._server = server
        self._address = address
        self._ids = ids
        self._old = old
        self._lifetime = lifetime
        self._loop = asyncio.get_running_loop()
        self._http: HttpLink | None = None
        self._chosen: HttpLink | Checked | None = None
        self._checks = HttpChecks(server.name, ids)
        self._learned_at = 0.0
        self._believed_until = 0.0
        self._choosing: asyncio.Task[HttpLink | Checked] | None = None
        self._asking: asyncio.Task[None] | None = None
        self._unasked = False
        self._trouble: str | None = None
        self._chores = Chores()
        self._shut = False

    def show(self, server: Server, address: HttpAddress) -> None:
        """Present another credential from now on. Raises UpstreamError for one that cannot be."""
        self._server, self._address = server, address
        if self._http is not None:
            self._http.show(server, address)
        if self._chosen is not None and self._chosen is not self._http:
            former, self._chosen = self._chosen, None  # its stream was opened with the former one
            self._chores.start(former.shutdown())

    async def _link(self) -> HttpLink | Checked:
        if self._chosen is not None and self._loop.time() < self._believed_until:
            return self._chosen
        if self._shut:
            raise UpstreamError("the gateway is shutting down")
        if self._choosing is None:
            self._choosing = self._loop.create_task(self._choose())
            self._choosing.add_done_callback(self._chose)
        if self._chosen is not None:
            return self._chosen  # the old verdict serves while a new one is being formed
        return await asyncio.shield(self._choosing)

    def _chose(self, task: asyncio.Task[HttpLink | Checked]) -> None:
        self._choosing = None
        error = None if task.cancelled() else task.exception()
        if error is not None:
            self._believed_until = self._loop.time() + AGAIN
            if self._chosen is None:
                self._trouble = str(error)

    async def _choose(self) -> HttpLink | Checked:
        if self._address.transport != "sse":
            if self._http is None:
                self._http = HttpLink(self._server, self._address, self._ids, self._doubt)
            learned = await self._learn(self._http)
            if learned.modern or learned.legacy:
                self._http.facts = learned
                return await self._believe(self._http, "http", learned)
            if self._address.transport == "http":
                raise FaultError("it does not answer MCP over streamable HTTP")
            # A wrong path or a proxy before its server says 404 just as an old server does.
            await self._offered()
        link = self._chosen
        if link is None or link is self._http:
            link = self._old.link(self._server, self._address)
        return await self._believe(link, "sse", None)

    async def _offered(self) -> None:
        try:
            await self._old.offered(self._server, self._address)
        except UpstreamError as error:
            raise FaultError(
                f"it answers MCP neither over streamable HTTP nor over HTTP+SSE: {error}"
            ) from error

    async def _learn(self, link: HttpLink) -> facts.Facts:
        send, known = self._send(link), link.facts.legacy
        learned = await facts.learn(send, link.requests, self._address.era, sessions=known)
        await self._end_probe(link, learned)
        return learned

    def _send(self, link: HttpLink) -> facts.Send:
        patience = min(self._server.timeout, 30.0)

        async def send(data: bytes, wanted: bytes | None) -> Reply:
            return await link.send(data, wanted, None, patience, safe=True)

        return send

    async def _end_probe(self, link: HttpLink, learned: facts.Facts) -> None:
        """The session that asking has opened is nobody's."""
        if learned.probe_session is None:
            return
        data = link.requests.delete(learned.probe_version, learned.probe_session)
        try:
            await self._send(link)(data, None)
        except UpstreamError:
            log.debug("upstream.probe.left", server=self._server.name)

    async def _with_sessions(self) -> HttpLink | Checked:
        """The link for somebody who has a session. Raises UpstreamError."""
        link = await self._link()
        if self._unasked and isinstance(link, HttpLink):
            if self._asking is None:
                self._asking = self._loop.create_task(self._ask(link))
                self._asking.add_done_callback(self._asked)
            await asyncio.shield(self._asking)
        return link

    async def _ask(self, link: HttpLink) -> None:
        discover = link.facts.discover
        learned = await facts.with_sessions(self._send(link), link.requests, discover)
        await self._end_probe(link, learned)
        link.facts, self._unasked = learned, False

    def _asked(self, task: asyncio.Task[None]) -> None:
        self._asking = None
        if not task.cancelled():
            task.exception()  # whoever waited has it

    async def _believe(
        self, link: HttpLink | Checked, transport: str, learned: facts.Facts | None
    ) -> HttpLink | Checked:
        former, self._chosen = self._chosen, link
        self._unasked = learned is not None and learned.unasked
        self._learned_at = self._loop.time()
        self._believed_until = self._learned_at + self._lifetime
        self._trouble = None
        log.info(
            "upstream.learned",
            server=self._server.name,
            transport=transport,
            modern=learned is not None and learned.modern,
            legacy=None if self._unasked else learned is None or learned.legacy,
        )
        if former is not None and former is not link:
            if former is self._http:
                self._http = None
            await former.shutdown()
        return link

    def _doubt(self) -> None:
        """The upstream answers as if it had become another: look again soon (checklist U3)."""
        if self._loop.time() > self._learned_at + AGAIN:
            self._believed_until = 0.0

    def request(self, ask: Ask, sink: Sink) -> Coroutine[Any, Any, Answer]:
        link = self._chosen
        known = not self._unasked or ask.era is Era.MODERN
        if link is not None and known and self._loop.time() < self._believed_until:
            return link.request(ask, sink)
        return self._first(ask, sink)

    async def _first(self, ask: Ask, sink: Sink) -> Answer:
        ready = self._link() if ask.era is Era.MODERN else self._with_sessions()
        return await (await ready).request(ask, sink)

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:
        await (await self._with_sessions()).post(session, principal, body)

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        await (await self._with_sessions()).listen(session, last_event_id, sink)

    async def close(self, session: Session) -> None:
        if self._chosen is not None:
            await self._chosen.close(session)

    async def check(self, seconds: float) -> Mapping[str, UpstreamError | None]:
        link = await self._link()  # which asks the server, where it is not known yet
        if not isinstance(link, HttpLink):
            return await link.check(seconds)
        await self._checks.look(link, seconds, modern=link.facts.modern)
        return {ALL: None}

    def state(self) -> str:
        if self._trouble is not None:
            return f"down: {self._trouble}"
        return "idle" if self._chosen is None else self._chosen.state()

    async def shutdown(self) -> None:
        self._shut = True
        under_way = [each for each in (self._choosing, self._asking) if each is not None]
        for task in under_way:
            task.cancel()
        if under_way:
            await asyncio.wait(under_way)
        if self._http is not None and self._http is self._chosen:
            with contextlib.suppress(TimeoutError):  # a server that is gone ends it by itself
                async with asyncio.timeout(FAREWELL):
                    await self._checks.end(self._http)
        await self._chores.finish(1.0)
        for link in {self._chosen, self._http}:
            if link is not None:
                await link.shutdown()
