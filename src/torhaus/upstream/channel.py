"""One pipe with an initialised session on it, and the calls under way there."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Protocol

import msgspec
import structlog

from torhaus.mcp.message import (
    encode,
    notification_text,
    request_text,
    result_text,
)
from torhaus.model.outcome import Answer
from torhaus.model.ports import Notice, UpstreamError
from torhaus.model.session import Session
from torhaus.upstream import envelope, marked, opening
from torhaus.upstream.chores import Chores
from torhaus.upstream.envelope import Envelope, GarbageError, Opened
from torhaus.upstream.faults import FaultError
from torhaus.upstream.flow import Tap
from torhaus.upstream.opening import Terms as Terms
from torhaus.upstream.pipe import NotSentError, Opener, Pipe
from torhaus.upstream.questions import Asked, Questions

log = structlog.get_logger()

MAX_QUEUED = 1000
"""Messages of our own that may wait for a server which does not read."""
SEND_TIMEOUT = 30.0
"""Seconds in which the server must take a message that is not a request."""
GARBAGE = 1000
"""Messages that cannot be read of which the log holds one line: two bytes would be a hundred."""
GRACE = 2.0
"""Seconds a server gets to answer a call that its caller has cancelled."""


@dataclass(slots=True, eq=False, kw_only=True)
class Flight:
    """One call under way. `front`: the caller's request id; `token`: its progress token.

    `tap` is None for calls of our own. `level`: the log level a modern caller asked for. `listens`:
    it waits for announcements that carry its id.
    """

    tap: Tap | None = None
    session: Session | None = None
    front: bytes | None = None
    level: str | None = None
    token: bytes | None = None
    id: int = 0
    sent: bool = False
    withdrawn: bool = False
    listens: bool = False
    answer: asyncio.Future[Answer] = field(default_factory=asyncio.Future)
    deadline: asyncio.Timeout | None = None
    seconds: float | None = None

    def touch(self) -> None:
        """Something about this call was heard: its time begins again."""
        if self.deadline is not None and self.seconds is not None and not self.withdrawn:
            self._due(self.seconds)

    def withdraw(self) -> None:
        self.withdrawn = True
        if self.deadline is not None:
            self._due(GRACE)

    def _due(self, seconds: float) -> None:
        if self.deadline is not None and not self.deadline.expired() and not self.answer.done():
            self.deadline.reschedule(asyncio.get_running_loop().time() + seconds)


class Owner(Protocol):
    """Decides where messages go that are not answers."""

    def asked(self, channel: "Channel", notice: Notice) -> Asked | bytes | None:
        """See `torhaus.upstream.questions.Choose`."""

    def noted(self, channel: "Channel", notice: Notice, params: envelope.Fields) -> None: ...

    def ended(self, channel: "Channel") -> None: ...


class Channel:
    """Ids and progress tokens on it are our own integers, never those of a caller."""

    def __init__(self, server: str, ids: Iterator[int], owner: Owner) -> None:
        self._server = server
        self._ids = ids
        self._owner = owner
        self._pipe: Pipe | None = None
        self._chores = Chores()
        self._questions = Questions(lambda notice: owner.asked(self, notice), self.later)
        self._reason: str | None = None
        self._garbage = 0
        self.flights: dict[int, Flight] = {}
        self.opened: Opened | None = None

    @property
    def pipe(self) -> Pipe:
        if self._pipe is None or self._reason is not None:
            raise NotSentError(f"it {self._reason or 'is not running'}")
        return self._pipe

    async def start(self, opener: Opener, terms: Terms) -> None:
        """Open the pipe and, where the terms want one, the session. Raises UpstreamError."""
        self._pipe = await opener(self)
        self.opened = await opening.begin(self._own, terms)
        if not terms.stateless:
            await self.pipe.send(notification_text("notifications/initialized", b""))

    async def _own(self, method: str, params: bytes, seconds: float | None) -> Answer:
        return await self.call(Flight(seconds=seconds), method, params)

    async def call(self, flight: Flight, method: str, params: bytes) -> Answer:
        """Send a request and wait for the answer. Raises UpstreamError."""
        flight.id = next(self._ids)
        params, flight.token = envelope.with_token(params, flight.id)
        message = request_text(b"%d" % flight.id, method, params)
        pipe = self.pipe
        self.flights[flight.id] = flight
        try:
            async with asyncio.timeout(flight.seconds) as flight.deadline:
                if flight.tap is not None:
                    self.offer()
                await self._dispatch(pipe, flight, message)
                return await flight.answer
        except TimeoutError:
            raise self._too_late(flight) from None
        finally:
            del self.flights[flight.id]
            self._leave(flight)

    async def _dispatch(self, pipe: Pipe, flight: Flight, message: bytes) -> None:
        flight.sent = True
        try:
            await pipe.send(message)
        except UpstreamError:
            flight.sent = False  # there is nothing to call off
            raise

    def _too_late(self, flight: Flight) -> UpstreamError:
        if flight.withdrawn:
            return UpstreamError("the call was cancelled by its caller")
        return FaultError(f"it did not answer within {flight.seconds:g} s")

    def _leave(self, flight: Flight) -> None:
        """A call is over: close its questions, and call it off where it was not answered."""
        self._questions.close(flight.id)
        answered = flight.answer.done() and not flight.answer.cancelled()
        if answered:
            flight.answer.exception()  # seen, even where the pipe's own error came first
        elif flight.sent and not flight.withdrawn and flight.tap is not None:
            self.cancel(flight, b"")

    def cancel(self, flight: Flight, reason: bytes) -> None:
        """Tell the server that nobody waits for this any more. `reason` is JSON text or empty."""
        more = b',"reason":%b' % reason if reason else b""
        params = b'{"requestId":%d%b}' % (flight.id, more)
        self.later(notification_text("notifications/cancelled", params))

    def later(self, message: bytes) -> None:
        """Send without waiting."""
        if self._reason is not None or self._pipe is None:
            return
        if len(self._chores) >= MAX_QUEUED:
            self.ended("asks more than it reads")
            return
        self._chores.start(self.send(message))

    async def send(self, message: bytes) -> None:
        """Send what has no answer. Raises UpstreamError."""
        try:
            async with asyncio.timeout(SEND_TIMEOUT):
                await self.pipe.send(message)
        except TimeoutError:
            raise FaultError("it does not take messages") from None

    async def answer(self, session: Session, key: bytes, message: bytes) -> None:
        """Pass on the answer to a question, if this session was asked it."""
        asked = self._questions.take(key, session.jti)
        if asked is None:
            log.info("upstream.stray_answer", server=self._server)
            return
        self._touch(asked)
        await self.send(message)

    def offer(self) -> None:
        """Somebody has come who may answer the server's questions."""
        self._questions.offer()

    def _touch(self, asked: Asked | None) -> None:
        flight = self.flights.get(asked.flight) if asked is not None else None
        if flight is not None:
            flight.touch()

    def calls(self) -> list[Flight]:
        """Calls of callers, oldest first."""
        return [flight for flight in self.flights.values() if flight.tap is not None]

    async def close(self) -> None:
        self.ended("was stopped")
        await self._chores.finish(0.5)
        if self._pipe is not None:
            await self._pipe.close()

    # torhaus.upstream.pipe.Ears

    def message(self, data: bytes) -> None:
        if self._reason is not None:
            return
        try:
            message = envelope.read(data)
        except GarbageError:
            if self._garbage % GARBAGE == 0:
                log.info(
                    "upstream.garbage", server=self._server, bytes=len(data), before=self._garbage
                )
            self._garbage += 1
            return
        if message.method is None:
            self._answered(message)
        elif message.id is None:
            self._noted(message.method, bytes(message.params))
        else:
            self._question(message.method, encode(message.id), bytes(message.params))

    def oversized(self, head: bytes, tail: bytes) -> None:
        log.warning("upstream.oversized", server=self._server)
        flight = self.flights.get(envelope.lost_id(head, tail) or 0)
        if flight is None and len(self.flights) == 1:
            flight = next(iter(self.flights.values()))
        if flight is not None and not flight.answer.done():
            error = UpstreamError("it sent a message larger than the limit")
            flight.answer.set_exception(error)

    def ended(self, reason: str) -> None:
        if self._reason is not None:
            return
        self._reason = reason
        for flight in self.flights.values():
            if not flight.answer.done():
                flight.answer.set_exception(FaultError(f"it {reason}"))
        self._questions.clear()
        self._owner.ended(self)

    def _answered(self, message: Envelope) -> None:
        flight = self.flights.get(message.id) if isinstance(message.id, int) else None
        error = b"" if bytes(message.error) == b"null" else bytes(message.error)
        if message.id is None and error and message.jsonrpc and len(self.flights) == 1:
            # A server that could not read a request cannot tell its id (JSON-RPC 2.0, section 5).
            flight = next(iter(self.flights.values()))
        if flight is None or flight.answer.done():
            log.debug("upstream.late_answer", server=self._server)
            return
        if not error:
            # Some servers answer `null` where there is nothing to say; MCP results are objects.
            result = bytes(message.result)
            flight.answer.set_result(Answer(result=b"{}" if result in (b"", b"null") else result))
            return
        try:
            envelope.error_message(error)
        except UpstreamError as bad:
            flight.answer.set_exception(UpstreamError(str(bad)))
            return
        flight.answer.set_result(Answer(error=error))

    def _question(self, method: str, key: bytes, params: bytes) -> None:
        if method == "ping":
            self.later(result_text(key, b"{}"))
            return
        notice = Notice(body=request_text(key, method, params), method=method, id=key)
        self._touch(self._questions.put(key, notice))

    def _noted(self, method: str, params: bytes) -> None:
        loose = envelope.fields(params)
        notice = Notice(body=notification_text(method, params), method=method)
        if method == "notifications/progress":
            self._progress(loose)
        elif method == "notifications/cancelled":
            key = envelope.canonical(loose.get("requestId"))
            asked = self._questions.call_off(key) if key is not None else None
            if asked is not None:
                asked.tap.notice(notice)
        elif not self._announced(notice, loose):
            self._owner.noted(self, notice, loose)

    def _announced(self, notice: Notice, params: envelope.Fields) -> bool:
        """Whether it was for one listening request alone."""
        flight = self.flights.get(marked.mark(params) or 0)
        if flight is None or not flight.listens or flight.tap is None or flight.front is None:
            return False
        body = notification_text(notice.method or "", marked.marked(params, flight.front))
        flight.tap.notice(Notice(body=body, method=notice.method))
        return True

    def _progress(self, params: envelope.Fields) -> None:
        token = envelope.canonical(params.get("progressToken")) or b""
        flight = self.flights.get(int(token)) if token.isdigit() and len(token) < 16 else None
        if flight is None or flight.tap is None or flight.token is None:
            return
        flight.touch()
        params["progressToken"] = msgspec.Raw(flight.token)
        body = notification_text("notifications/progress", encode(params))
        flight.tap.notice(Notice(body=body, method="notifications/progress"))
