"""Upstream sessions for callers that keep none: one per principal, closed when idle."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from itertools import count

import msgspec

from torhaus.mcp.codes import METHOD_NOT_FOUND
from torhaus.mcp.hearing import LEVELS, reaches
from torhaus.mcp.message import (
    encode,
    error_object,
    error_text,
    notification_text,
    read_incoming,
    result_text,
)
from torhaus.mcp.versions import LATEST_LEGACY, LOG_LEVEL_KEY
from torhaus.model.ports import Notice, Sink
from torhaus.model.session import Session
from torhaus.model.sinks import Before
from torhaus.upstream.envelope import fields, text_of

IDLE = 300.0
"""Seconds without a call after which a session is closed."""


@dataclass(slots=True, eq=False)
class _Kept:
    session: Session
    calls: int = 0


Key = tuple[str, bytes]
"""Who, and what his client declared, as JSON text in one spelling."""


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
        self._kept: dict[Key, _Kept] = {}
        self._apart: dict[str, _Kept] = {}
        self._numbers = count(1)
        self._sweeping: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._kept) + len(self._apart)

    async def borrow(self, principal: str, capabilities: bytes = b"{}") -> Session:
        """An open session, until `give_back`. Raises UpstreamError; then it is not borrowed."""
        key = (principal, capabilities)
        kept = self._kept.get(key)
        if kept is None:
            kept = self._kept[key] = _Kept(self._new(principal, capabilities))
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
        key = (session.principal, session.capabilities)
        kept = self._apart.get(session.jti) or self._kept.get(key)
        if kept is not None and kept.session is session:
            kept.calls -= 1
            if not kept.calls and self._apart.pop(session.jti, None) is not None:
                self._back(key, kept)
        if self._sweeping is None and self._kept:
            self._sweeping = self._loop.call_later(self._idle, self._sweep)

    def set_apart(self, session: Session) -> None:
        """A call on it waits for people: others get another one until it is given back.

        Some servers carry one call of a session at a time.
        """
        key = (session.principal, session.capabilities)
        kept = self._kept.get(key)
        if kept is not None and kept.session is session:
            self._apart[session.jti] = self._kept.pop(key)

    def _back(self, key: Key, kept: _Kept) -> None:
        if key in self._kept:
            self._closes(kept.session)
        else:
            self._kept[key] = kept

    def _new(self, principal: str, capabilities: bytes) -> Session:
        return Session(
            token="",
            jti=f"pool-{next(self._numbers)}-{principal}",
            server=self._server,
            principal=principal,
            version=LATEST_LEGACY,
            capabilities=capabilities,
            client_info=b"",
            created=self._loop.time(),
            expires=float("inf"),
        )

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._loop.time()
        for key, kept in list(self._kept.items()):
            if not kept.calls and kept.session.last_used + self._idle <= now:
                del self._kept[key]
                self._closes(kept.session)
        if self._kept:
            self._sweeping = self._loop.call_later(self._idle, self._sweep)

    def end(self) -> None:
        """Close all."""
        if self._sweeping is not None:
            self._sweeping.cancel()
            self._sweeping = None
        kept, self._kept = [*self._kept.values(), *self._apart.values()], {}
        self._apart.clear()
        for each in kept:
            self._closes(each.session)


class _Log(msgspec.Struct):
    params: dict[str, object] = {}


_log = msgspec.json.Decoder(_Log).decode


class Heard(Before):
    """Of what a session's server says beside its answer, what a stateless caller may hear.

    Progress under the caller's own `token` (JSON text; None: it wants none), log messages from
    `level` on (None: none).
    """

    __slots__ = ("_level", "_token")

    def __init__(self, sink: Sink, token: bytes | None, level: str | None) -> None:
        super().__init__(sink)
        self._token = token
        self._level = level if level in LEVELS else None

    def notice(self, notice: Notice) -> None:
        if notice.method == "notifications/progress" and self._token is not None:
            params = fields(read_incoming(notice.body).params)
            params["progressToken"] = msgspec.Raw(self._token)
            body = notification_text(notice.method, encode(params))
            self._sink.notice(Notice(body=body, method=notice.method))
        elif notice.method == "notifications/message" and _at_least(notice.body, self._level):
            self._sink.notice(Notice(body=notice.body, method=notice.method))


def wanted_by(params: bytes) -> tuple[bytes | None, str | None]:
    """The progress token (JSON text) and the log level of a stateless request."""
    meta = fields(fields(params).get("_meta"))
    token = meta.get("progressToken")
    return None if token is None else bytes(token), text_of(meta, LOG_LEVEL_KEY)


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
            self._answers(refusal(notice.method, notice.id))
        elif notice.method == "notifications/progress" or (
            notice.method == "notifications/message" and _at_least(notice.body, self._level)
        ):
            self._sink.notice(Notice(body=notice.body, method=notice.method))


def _at_least(body: bytes, wanted: str | None) -> bool:
    """Whether a log message is as grave as that; without a level, none is wanted."""
    if wanted is None:
        return False
    try:
        level = _log(body).params.get("level")
    except (msgspec.MsgspecError, RecursionError):
        return False
    return reaches(level if isinstance(level, str) else None, wanted)


def refusal(method: str, id_text: bytes) -> bytes:
    """The answer to a server that asks where nobody can be asked."""
    if method == "ping":
        return result_text(id_text, b"{}")
    text = "this session has declared no such capability"
    return error_text(id_text, error_object(METHOD_NOT_FOUND, text))
