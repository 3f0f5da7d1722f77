"""Upstream sessions for callers that keep none: one per principal, closed when idle."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from torhaus.mcp.codes import METHOD_NOT_FOUND
from torhaus.mcp.message import error_object, error_text, result_text
from torhaus.mcp.versions import LATEST_LEGACY
from torhaus.model.ports import Notice, Sink
from torhaus.model.session import Session
from torhaus.model.sinks import Before
from torhaus.upstream.memory import LEVELS, reaches

IDLE = 300.0
"""Seconds without a call after which a session is closed."""


@dataclass(slots=True, eq=False)
class _Kept:
    session: Session
    calls: int = 0


class Pooled:
    """Owned by one event loop. Servers keep state per session, so principals never share one.

    `opens` opens or re-opens the upstream half, `closes` ends it in the background.
    """

    def __init__(
        self,
        server: str,
        opens: Callable[[Session], Awaitable[None]],
        closes: Callable[[Session], None],
        idle: float = IDLE,
    ) -> None:
        self._server = server
        self._opens = opens
        self._closes = closes
        self._idle = idle
        self._loop = asyncio.get_running_loop()
        self._kept: dict[str, _Kept] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._kept)

    async def borrow(self, principal: str) -> Session:
        """An open session, until `give_back`. Raises UpstreamError; then it is not borrowed."""
        kept = self._kept.get(principal)
        if kept is None:
            kept = self._kept[principal] = _Kept(self._new(principal))
        kept.calls += 1
        try:
            if not kept.session.initialized:
                await self._opens(kept.session)
        except BaseException:
            self.give_back(kept.session)
            raise
        return kept.session

    def give_back(self, session: Session) -> None:
        session.last_used = self._loop.time()
        kept = self._kept.get(session.principal)
        if kept is not None and kept.session is session:
            kept.calls -= 1
        if self._sweeping is None and self._kept:
            self._sweeping = self._loop.call_later(self._idle, self._sweep)

    def _new(self, principal: str) -> Session:
        return Session(
            token="",
            jti=f"pool-{principal}",
            server=self._server,
            principal=principal,
            version=LATEST_LEGACY,
            capabilities=b"{}",
            client_info=b"",
            created=self._loop.time(),
            expires=float("inf"),
        )

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._loop.time()
        for principal, kept in list(self._kept.items()):
            if not kept.calls and kept.session.last_used + self._idle <= now:
                del self._kept[principal]
                self._closes(kept.session)
        if self._kept:
            self._sweeping = self._loop.call_later(self._idle, self._sweep)

    def end(self) -> None:
        """Close all."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        kept, self._kept = self._kept, {}
        for each in kept.values():
            self._closes(each.session)


class _Log(msgspec.Struct):
    params: dict[str, object] = {}


_log = msgspec.json.Decoder(_Log).decode


class StatelessSink(Before):
    """Of what a session's server says beside its answer, what a stateless caller may hear.

    Progress passes, log messages from `level` on (None: none); the server's own requests are
    answered by `answers` with JSON text, because nobody else will.
    """

    def __init__(self, sink: Sink, level: str | None, answers: Callable[[bytes], None]) -> None:
        super().__init__(sink)
        self._level = level if level in LEVELS else None
        self._answers = answers

    def notice(self, notice: Notice) -> None:
        if notice.method is None:
            return
        if notice.id is not None:
            self._answers(_reply(notice.method, notice.id))
        elif notice.method == "notifications/progress" or (
            notice.method == "notifications/message" and self._wants(notice.body)
        ):
            self._sink.notice(Notice(body=notice.body, method=notice.method))

    def _wants(self, body: bytes) -> bool:
        if self._level is None:
            return False
        try:
            level = _log(body).params.get("level")
        except (msgspec.MsgspecError, RecursionError):
            return False
        return reaches(level if isinstance(level, str) else None, self._level)


def _reply(method: str, id_text: bytes) -> bytes:
    if method == "ping":
        return result_text(id_text, b"{}")
    text = "this session has declared no such capability"
    return error_text(id_text, error_object(METHOD_NOT_FOUND, text))
