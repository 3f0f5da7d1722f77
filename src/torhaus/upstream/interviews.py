"""Questions of a stateless server, put to a caller who keeps a session: rounds become requests.

A server of 2026-07-28 answers `input_required` and wants the request again with the answers. A
client of a session hears real requests on the stream of its call and posts its answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec

from torhaus.mcp import inputs
from torhaus.mcp.codes import INTERNAL_ERROR
from torhaus.mcp.inputs import Input, Wanted
from torhaus.mcp.message import (
    encode,
    error_object,
    notification_text,
    read_incoming,
    request_text,
)
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice, Sink, UpstreamError
from torhaus.model.session import Session
from torhaus.upstream.replies import object_of

ROUNDS = 8
LEG = 600.0
"""Seconds a caller has to answer the questions of one round."""
PAUSE = 0.25
"""Seconds between rounds that ask nothing: the server only wants more time."""
MOST_AT_ONCE = 16
MOST_OPEN = 1000
MOST_EACH = 50
"""Open questions of a link, and to one principal; one round's; further ones end their call."""

Send = Callable[[Ask, Sink], Awaitable[Answer]]


class SilentError(Exception):
    """There will be no answer to a question. The text is a sentence for people."""


class _Question(msgspec.Struct, eq=False):
    jti: str
    principal: str
    answer: asyncio.Future[bytes]


class Interviews:
    """Owned by one event loop. `ids` yields ids that are unique in this process for ever."""

    def __init__(self, ids: Callable[[], str], leg: float = LEG) -> None:
        self._ids = ids
        self._leg = leg
        self._open: dict[bytes, _Question] = {}

    def __len__(self) -> int:
        return len(self._open)

    async def carry(self, ask: Ask, session: Session, sink: Sink, send: Send) -> Answer:
        """The answer to a stateless request, asked again until it is complete.

        `session`: of the caller who is asked. Raises UpstreamError.
        """
        allowed = inputs.may_be_asked(session.capabilities)
        for turn in range(ROUNDS + 1):
            answer = await send(ask, sink)
            wanted = _wanted(answer)
            if wanted is None:
                return answer
            if turn == ROUNDS:
                break
            try:
                said = await self._round(wanted, allowed, session, sink)
            except SilentError as why:
                return _failed(ask.method, str(why))
            params = inputs.again(ask.params, said, wanted.request_state)
            ask = msgspec.structs.replace(ask, id=encode(self._ids()), params=params)
        return _failed(ask.method, f"the server asked more than {ROUNDS} times in one call")

    async def _round(
        self, wanted: Wanted, allowed: Mapping[str, object], session: Session, sink: Sink
    ) -> Mapping[str, bytes]:
        """The answers to one round. Raises SilentError."""
        questions = wanted.input_requests
        if not questions and wanted.request_state is None:
            raise SilentError("the server wants an answer and asks nothing")
        if not questions:
            await asyncio.sleep(PAUSE)
            return {}
        for each in questions.values():
            lacking = inputs.lacking(each, allowed)
            if lacking is not None:
                text = f"the server asks for something that this client has not offered: {lacking}"
                raise SilentError(text)
        self._check_room(len(questions), session.principal)
        return await self._put(questions, session, sink)

    def _check_room(self, more: int, principal: str) -> None:
        own = sum(each.principal == principal for each in self._open.values())
        full = len(self._open) + more > MOST_OPEN or own + more > MOST_EACH
        if more > MOST_AT_ONCE or full:
            raise SilentError("the server asks too many questions at once")

    async def _put(
        self, questions: Mapping[str, Input], session: Session, sink: Sink
    ) -> Mapping[str, bytes]:
        loop = asyncio.get_running_loop()
        asked: dict[str, _Question] = {}
        own_ids: list[bytes] = []
        timer = loop.call_later(self._leg, self._too_late, own_ids)
        try:
            for key, each in questions.items():
                own = encode(self._ids())
                own_ids.append(own)
                asked[key] = _Question(session.jti, session.principal, loop.create_future())
                self._open[own] = asked[key]
                sink.notice(_notice(own, each))
            futures = [question.answer for question in asked.values()]
            await asyncio.wait(futures, return_when=asyncio.FIRST_EXCEPTION)
            for future in futures:
                if future.done():
                    future.result()  # whichever failed is the end of all of them
            return {key: question.answer.result() for key, question in asked.items()}
        finally:
            timer.cancel()
            self._call_off(own_ids, sink)
            for question in asked.values():
                if not question.answer.cancel() and not question.answer.cancelled():
                    question.answer.exception()  # seen, even where another one came first

    def _call_off(self, own_ids: list[bytes], sink: Sink) -> None:
        """Close what is still open at the client."""
        for own in own_ids:
            if self._open.pop(own, None) is not None:
                sink.notice(_withdrawn(own))

    def _too_late(self, own_ids: list[bytes]) -> None:
        for own in own_ids:
            question = self._open.get(own)
            if question is not None and not question.answer.done():
                text = f"nobody answered the server's question within {self._leg:g} s"
                question.answer.set_exception(SilentError(text))

    def heard(self, session: Session, body: bytes) -> bool:
        """An answer of this session's client. False: it is not to a question of ours."""
        message = read_incoming(body)
        own = b"" if message.id is None else bytes(message.id)
        question = self._open.get(own)
        if question is None or question.jti != session.jti:
            return False
        del self._open[own]
        if question.answer.done():
            return True
        result = message.result
        if result is not None and object_of(result) is not None:
            question.answer.set_result(bytes(result))
        else:
            question.answer.set_exception(SilentError(_refusal(message.error)))
        return True


def _wanted(answer: Answer) -> Wanted | None:
    if answer.result is None:
        return None
    try:
        return inputs.wanted(answer.result)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise UpstreamError("it sent a result that cannot be read") from error


def _notice(own: bytes, question: Input) -> Notice:
    params = inputs.without_envelope(question.params)
    if question.method == "elicitation/create" and params.get("mode") == inputs.URL:
        # 2025-11-25 has it, 2026-07-28 has not: it only names the question.
        params.setdefault("elicitationId", msgspec.json.decode(own))
    body = request_text(own, question.method, encode(params))
    return Notice(body=body, method=question.method, id=own, tied=True)


def _withdrawn(own: bytes) -> Notice:
    params = encode({"requestId": msgspec.Raw(own), "reason": "the call is over"})
    method = "notifications/cancelled"
    return Notice(body=notification_text(method, params), method=method)


def _refusal(error: msgspec.Raw | None) -> str:
    """The sentence for an answer that is none."""
    found = object_of(error)
    message = None if found is None else found.get("message")
    if isinstance(message, str):
        return f"the client did not answer the server's question: {message[:200]}"
    return "the client's answer to the server's question cannot be read"


def _failed(method: str, text: str) -> Answer:
    """How a call ends whose questions stay open. A tool's end is for the model to read."""
    if method != "tools/call":
        return Answer(error=error_object(INTERNAL_ERROR, text))
    return Answer(result=encode({"content": [{"type": "text", "text": text}], "isError": True}))
