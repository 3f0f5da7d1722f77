"""Looks at a server without anybody's call: it is counted, limited and recorded nowhere."""

from collections.abc import Callable, Mapping
from typing import Protocol

from torhaus.mcp.message import encode, notification_text
from torhaus.mcp.versions import CAPABILITIES_KEY, LATEST_LEGACY, MODERN, VERSION_KEY
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Link, Notice, Sink, UpstreamError
from torhaus.model.servers import Era
from torhaus.model.session import Session

ALL = ""
"""The key of what is everybody's."""
OURS = "torhaus"
_INFO = {"name": "torhaus", "version": "1"}


class Checked(Link, Protocol):
    """A link that can be looked at."""

    async def check(self, seconds: float) -> Mapping[str, UpstreamError | None]:
        """Ask whether it works, within this time.

        By principal, where each has a process or connection of his own, else under `ALL`. Empty:
        there is nothing to ask. Raises UpstreamError for all of them.
        """
        ...


class Deaf:
    """A sink for what nobody waits for."""

    throttle: Callable[[bool], None] | None = None

    def opened(self) -> None:
        """Nothing to do."""

    def notice(self, notice: Notice) -> None:
        """Nothing to do."""


class HttpChecks:
    """Checks of one streamable HTTP server: `server/discover`, or `ping` in a session of our own.

    The session is kept, and opened again when the server has forgotten it.
    """

    def __init__(self, server: str, ids: Callable[[], str]) -> None:
        self._server = server
        self._ids = ids
        self._session: Session | None = None

    async def look(self, link: Link, seconds: float, *, modern: bool) -> None:
        """Raises UpstreamError unless it answers."""
        if modern:
            envelope = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}
            envelope["io.modelcontextprotocol/clientInfo"] = _INFO
            await self._ask(link, "server/discover", encode({"_meta": envelope}), seconds)
            return
        if self._session is None:
            self._session = await self._opened(link, seconds)
        await self._ask(link, "ping", b"", seconds, self._session)

    async def _opened(self, link: Link, seconds: float) -> Session:
        hello = {"protocolVersion": LATEST_LEGACY, "capabilities": {}, "clientInfo": _INFO}
        session = Session(
            token="",
            jti="health",
            server=self._server,
            principal=OURS,
            version=LATEST_LEGACY,
            capabilities=b"{}",
            client_info=encode(_INFO),
            created=0.0,
            expires=float("inf"),
        )
        answer = await self._ask(link, "initialize", encode(hello), seconds)
        session.upstream_id = answer.session
        session.initialized = True
        await link.post(session, OURS, notification_text("notifications/initialized", b""))
        return session

    async def _ask(
        self, link: Link, method: str, params: bytes, seconds: float, session: Session | None = None
    ) -> Answer:
        ask = Ask(
            method=method,
            id=encode(self._ids()),
            params=params,
            era=Era.MODERN if method == "server/discover" else Era.LEGACY,
            principal=OURS,
            session=session,
            timeout=seconds,
        )
        sink: Sink = Deaf()
        return await link.request(ask, sink)

    async def end(self, link: Link) -> None:
        """Let the server forget our session."""
        session, self._session = self._session, None
        if session is not None:
            await link.close(session)
