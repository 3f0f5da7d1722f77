"""A link by URL that finds out by itself what the upstream speaks, and remembers it for a day."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from torhaus.mcp.versions import LATEST_LEGACY
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Link, Sink, UpstreamError
from torhaus.model.servers import HttpAddress, Server
from torhaus.model.session import Session
from torhaus.upstream import facts
from torhaus.upstream.exchange import Reply
from torhaus.upstream.httplink import HttpLink

log = structlog.get_logger()


class AutoLink:
    """Streamable HTTP where the upstream has it, else HTTP+SSE through `old` (checklist U1)."""

    def __init__(
        self,
        server: Server,
        address: HttpAddress,
        ids: Callable[[], str],
        old: Callable[[Server, HttpAddress], Link],
    ) -> None:
        self._server = server
        self._address = address
        self._ids = ids
        self._old = old
        self._loop = asyncio.get_running_loop()
        self._chosen: Link | None = None
        self._believed_until = 0.0
        self._choosing: asyncio.Task[Link] | None = None
        self._trouble: str | None = None

    async def _link(self) -> Link:
        if self._chosen is not None and self._loop.time() < self._believed_until:
            return self._chosen
        if self._choosing is None:
            self._choosing = self._loop.create_task(self._choose())
            self._choosing.add_done_callback(self._chose)
        if self._chosen is not None:
            return self._chosen  # the old verdict serves while a new one is being formed
        return await asyncio.shield(self._choosing)

    def _chose(self, task: asyncio.Task[Link]) -> None:
        self._choosing = None
        if not task.cancelled() and task.exception() is not None:
            self._trouble = str(task.exception())
            self._believed_until = self._loop.time() + 60.0

    async def _choose(self) -> Link:
        link = self._chosen
        if self._address.transport != "sse":
            link = link if isinstance(link, HttpLink) else self._http()
            learned = await self._learn(link)
            if learned.modern or learned.legacy:
                link.facts = learned
                return self._believe(link, "http", learned)
            if self._address.transport == "http":
                raise UpstreamError("it does not answer MCP over streamable HTTP")
        if link is None or isinstance(link, HttpLink):
            link = self._old(self._server, self._address)
        return self._believe(link, "sse", None)

    def _http(self) -> HttpLink:
        return HttpLink(self._server, self._address, self._ids)

    async def _learn(self, link: HttpLink) -> facts.Facts:
        patience = min(self._server.timeout, 30.0)

        async def send(data: bytes, wanted: bytes | None) -> Reply:
            return await link.send(data, wanted, None, patience, safe=True)

        learned = await facts.learn(send, link.requests, self._address.era)
        if learned.probe_session is not None:
            data = link.requests.delete(LATEST_LEGACY, learned.probe_session)
            try:
                await send(data, None)
            except UpstreamError:
                log.debug("upstream.probe.left", server=self._server.name)
        return learned

    def _believe(self, link: Link, transport: str, learned: facts.Facts | None) -> Link:
        self._chosen = link
        self._believed_until = self._loop.time() + facts.LIFETIME
        self._trouble = None
        log.info(
            "upstream.learned",
            server=self._server.name,
            transport=transport,
            modern=learned is not None and learned.modern,
            legacy=learned is None or learned.legacy,
        )
        return link

    def request(self, ask: Ask, sink: Sink) -> Coroutine[Any, Any, Answer]:
        link = self._chosen
        if link is not None and self._loop.time() < self._believed_until:
            return link.request(ask, sink)
        return self._first(ask, sink)

    async def _first(self, ask: Ask, sink: Sink) -> Answer:
        return await (await self._link()).request(ask, sink)

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:
        await (await self._link()).post(session, principal, body)

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        await (await self._link()).listen(session, last_event_id, sink)

    async def close(self, session: Session) -> None:
        if self._chosen is not None:
            await self._chosen.close(session)

    def state(self) -> str:
        if self._trouble is not None:
            return f"down: {self._trouble}"
        return "idle" if self._chosen is None else self._chosen.state()

    async def shutdown(self) -> None:
        if self._choosing is not None:
            self._choosing.cancel()
        if self._chosen is not None:
            await self._chosen.shutdown()
