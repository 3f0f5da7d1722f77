"""Calls of stateless clients that wait on a server with sessions until its question is answered.

The server asks in the middle of a call. The client hears `input_required` and asks again with the
answers; meanwhile the call waits here, its stream to the server open.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import structlog

from torhaus.mcp import inputs
from torhaus.mcp.codes import INVALID_PARAMS, METHOD_NOT_FOUND
from torhaus.mcp.inputs import Input
from torhaus.mcp.message import encode, error_object, error_text, read_incoming, result_text
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice, Sink, UpstreamError
from torhaus.model.servers import Server
from torhaus.upstream.pooled import Heard, wanted_by
from torhaus.upstream.replies import object_of

GRACE = 2.0
"""Seconds a server gets to end a call whose client did not come back."""
TOGETHER = 0.01
"""Seconds in which further questions join the first one's round."""
MOST, MOST_AT_ONCE = 1000, 16
"""Parked calls of a link; open questions of one call."""

GONE = error_object(-32000, "nobody answered this in time")
REFUSED = error_object(METHOD_NOT_FOUND, "the client did not offer this")
TOO_MANY = error_object(-32000, "too many questions are open")
UNKNOWN = Answer(
    error=error_object(
        INVALID_PARAMS,
        "requestState belongs to no call that waits: start the request again without it",
    ),
    status=400,
)

log = structlog.get_logger()


class Desk:
    """The sink of a call that may be parked: each round has another client's end behind it.

    Questions of the server stay here, everything else goes to the round's client, if there is one.
    """

    def __init__(self, reply: Callable[[bytes], None], capabilities: Mapping[str, Any]) -> None:
        self._reply = reply
        self._capabilities = capabilities
        self._heard: Heard | None = None
        self._throttle: Callable[[bool], None] | None = None
        self.questions: dict[str, tuple[bytes, Input]] = {}
        self.bell: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._number = 0
        self._over: bytes | None = None

    @property
    def throttle(self) -> Callable[[bool], None] | None:
        return self._throttle

    @throttle.setter
    def throttle(self, change: Callable[[bool], None] | None) -> None:
        self._throttle = change
        if self._heard is not None:
            self._heard.throttle = change

    def front(self, heard: Heard | None) -> None:
        """From now on this client hears it; None: nobody."""
        if self._heard is not None:
            self._heard.throttle = None
            if self._throttle is not None:
                self._throttle(False)
        self._heard = heard
        if heard is not None:
            heard.throttle = self._throttle

    def opened(self) -> None:
        """A call's stream begins with what is said on it."""

    def notice(self, notice: Notice) -> None:
        if notice.method is not None and notice.id is not None:
            self._asked(notice.method, notice.id, notice.body)
        elif notice.method == inputs.CANCELLED:
            self._withdrawn(notice.body)
        elif self._heard is not None:
            self._heard.notice(notice)
        self.ring()

    def ring(self) -> None:
        if not self.bell.done():
            self.bell.set_result(None)

    def _asked(self, method: str, own: bytes, body: bytes) -> None:
        if method == "ping":
            self._reply(result_text(own, b"{}"))
            return
        params = object_of(read_incoming(body).params) or {}
        question = Input(method, inputs.without_envelope(params))
        question.params.pop("elicitationId", None)  # gone in 2026-07-28
        if inputs.lacking(question, self._capabilities) is not None:
            self._reply(error_text(own, REFUSED))
        elif len(self.questions) >= MOST_AT_ONCE:
            self._reply(error_text(own, TOO_MANY))
        else:
            self._number += 1
            self.questions[f"q{self._number}"] = (own, question)
            if self._over is not None:
                self.give_up(self._over)

    def _withdrawn(self, body: bytes) -> None:
        params = object_of(read_incoming(body).params) or {}
        own = encode(params.get("requestId"))
        for key in [key for key, (each, _) in self.questions.items() if each == own]:
            del self.questions[key]

    def take(self, responses: Mapping[str, Any]) -> None:
        """Pass the answers on; what is not answered stays open."""
        for key, response in responses.items():
            if key in self.questions and isinstance(response, dict):
                own, _ = self.questions.pop(key)
                self._reply(result_text(own, encode(response)))

    def give_up(self, error: bytes) -> None:
        """Nobody answers any more, whatever else is asked."""
        self._over = error
        for own, question in self.questions.values():
            if question.method == "elicitation/create":
                self._reply(result_text(own, b'{"action":"cancel"}'))
            else:
                self._reply(error_text(own, error))
        self.questions.clear()


class Parked(msgspec.Struct, eq=False, kw_only=True):
    """One call under way. `timer`: while it is parked; without one, a round of it is carried."""

    id: str
    principal: str
    method: str
    desk: Desk
    task: asyncio.Task[Answer]
    finish: Callable[[Answer], Answer]
    seconds: float | None
    timer: asyncio.TimerHandle | None = None
    lapsed: Callable[[str], None] | None = None


class Parking:
    """Owned by one event loop."""

    def __init__(self, server: Server) -> None:
        self._server = server.name
        self._patience = server.parked_expiry
        self._most_each = server.parked_limit
        self._all: dict[str, Parked] = {}
        self._leaving: set[asyncio.Task[Answer]] = set()

    def __len__(self) -> int:
        return len(self._all)

    async def begin(
        self,
        ask: Ask,
        desk: Desk,
        sink: Sink,
        task: asyncio.Task[Answer],
        finish: Callable[[Answer], Answer],
    ) -> Answer:
        """A new call; its answer, or the first questions. `task` carries it, `desk` is its sink.

        `finish` makes an answer of the server one for a stateless client. Raises UpstreamError.
        """
        desk.front(Heard(sink, *wanted_by(ask.params)))
        parked = Parked(
            id=secrets.token_hex(16),
            principal=ask.principal,
            method=ask.method,
            desk=desk,
            task=task,
            finish=finish,
            seconds=ask.timeout,
            lapsed=ask.lapsed,
        )
        return await self._round(parked)

    async def resume(self, ask: Ask, sink: Sink) -> Answer:
        """The next round of a call. Raises UpstreamError."""
        loose = object_of(ask.params) or {}
        parked = self._all.get(str(loose.get("requestState")))
        if parked is None or parked.timer is None:
            return UNKNOWN  # expired, or another round of it is carried right now
        if parked.principal != ask.principal or parked.method != ask.method:
            return UNKNOWN
        parked.timer.cancel()
        parked.timer = None
        parked.lapsed = ask.lapsed
        responses = loose.get("inputResponses")
        parked.desk.front(Heard(sink, *wanted_by(ask.params)))
        parked.desk.take(responses if isinstance(responses, dict) else {})
        return await self._round(parked)

    async def _round(self, parked: Parked) -> Answer:
        kept = False
        try:
            await self._next(parked)
            if parked.task.done():
                return parked.finish(parked.task.result())
            kept = self._park(parked)
            if kept:
                asked = {key: question for key, (_, question) in parked.desk.questions.items()}
                return Answer(result=inputs.required(asked, parked.id))
            # There is no room: the server hears that, and what it makes of it is the answer.
            parked.desk.give_up(TOO_MANY)
            await asyncio.wait([parked.task], timeout=parked.seconds)
            if not parked.task.done():
                raise _late(parked)
            return parked.finish(parked.task.result())
        finally:
            parked.desk.front(None)
            if not kept:
                self._all.pop(parked.id, None)
                self._stop(parked.task)

    async def _next(self, parked: Parked) -> None:
        """Until the server has answered, or asks. Raises UpstreamError."""
        desk, loop = parked.desk, asyncio.get_running_loop()
        while not parked.task.done():
            if desk.questions:
                await asyncio.wait([parked.task], timeout=TOGETHER)
                if desk.questions:
                    return
            desk.bell = loop.create_future()
            either: list[asyncio.Future[Any]] = [parked.task, desk.bell]
            done, _ = await asyncio.wait(
                either,
                timeout=parked.seconds,
                return_when=asyncio.FIRST_COMPLETED,
            )
            if not done:
                raise _late(parked)

    def _park(self, parked: Parked) -> bool:
        own = sum(each.principal == parked.principal for each in self._all.values())
        new = parked.id not in self._all
        if new and (len(self._all) >= MOST or own >= self._most_each):
            return False
        self._all[parked.id] = parked
        loop = asyncio.get_running_loop()
        parked.timer = loop.call_later(self._patience, self._expire, parked)
        return True

    def _expire(self, parked: Parked) -> None:
        """Its client did not come back: the server hears that, and has a moment to end."""
        self._all.pop(parked.id, None)
        log.info("upstream.parked.expired", server=self._server)
        parked.desk.give_up(GONE)
        seconds = f"{self._patience:g} s"
        _told(parked, f"nobody answered the server within {seconds}, so it was told cancel")
        self._leaving.add(parked.task)
        parked.task.add_done_callback(self._left)
        asyncio.get_running_loop().call_later(GRACE, parked.task.cancel)

    def _left(self, task: asyncio.Task[Answer]) -> None:
        self._leaving.discard(task)
        if not task.cancelled():
            task.exception()  # there is nobody to tell

    def _stop(self, task: asyncio.Task[Answer]) -> None:
        if task.done():
            if not task.cancelled():
                task.exception()
            return
        self._leaving.add(task)
        task.add_done_callback(self._left)
        task.cancel()

    async def end(self) -> None:
        """Stop them all."""
        parked, self._all = list(self._all.values()), {}
        for each in parked:
            if each.timer is not None:
                each.timer.cancel()
                _told(each, "the gateway stopped while the server waited, and called it off")
            self._stop(each.task)
        await asyncio.gather(*self._leaving, return_exceptions=True)


def _told(parked: Parked, why: str) -> None:
    if parked.lapsed is not None:
        parked.lapsed(why)


def _late(parked: Parked) -> UpstreamError:
    return UpstreamError(f"it did not answer within {parked.seconds:g} s")
