"""One connection to a Redis server: whatever is asked within one turn of the loop is one write.

Replies come in the order of the questions (RESP3), so a question that nobody waits for any more
keeps its place. SUBSCRIBE, of one channel at a time, is confirmed by a message in that place.
hiredis packs and reads; redis-py's connection does the same for several times the CPU.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Generator
from contextvars import Context
from typing import Any, cast

from hiredis import ProtocolError, PushNotification, Reader, ReplyError, pack_command

Word = bytes | str | int | float
Waiting = tuple["asyncio.Future[Any] | Reply", float]

_NOTHING = object()
GLANCE = 0.002
"""Seconds in which the loop reads what has come before anything is said to be late."""


class Unreachable(Exception):  # noqa: N818 -- a state of the world that callers live with
    """The server did not answer, or not in time. The text is a sentence for people."""


class Reply:
    """What the server will say to one question, to be awaited once: a future for half the price.

    A drive goes on in the very callback in which the reply has come, a task when the loop gets to
    it. PEP 3156 and `asyncio.Task` say what of a future is needed for that.
    """

    __slots__ = ("_asyncio_future_blocking", "_context", "_error", "_loop", "_said", "_then")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._asyncio_future_blocking = False
        self._loop = loop
        self._said: Any = _NOTHING
        self._error: BaseException | None = None
        self._then: Callable[[Any], object] | None = None
        self._context: Context | None = None

    def __await__(self) -> Generator["Reply", None, Any]:
        if not self.done():
            self._asyncio_future_blocking = True
            yield self
        return self.result()

    def get_loop(self) -> asyncio.AbstractEventLoop:
        return self._loop

    def add_done_callback(
        self, then: Callable[[Any], object], *, context: Context | None = None
    ) -> None:
        self._then, self._context = then, context

    def done(self) -> bool:
        return self._said is not _NOTHING or self._error is not None

    def result(self) -> Any:
        if self._error is not None:
            raise self._error
        return self._said

    def came(self, said: Any) -> None:
        """The server has answered: in the loop's own callback, not within anybody's step."""
        if isinstance(said, ReplyError):
            self._error = said
        else:
            self._said = said
        then = self._then
        if then is None or self._context is not None:
            self._later()
            return
        try:
            then(self)
        except Exception as error:  # noqa: BLE001 -- as the loop does: others wait on this line
            self._loop.call_exception_handler({"message": "a reply", "exception": error})

    def set_exception(self, error: BaseException) -> None:
        self._error = error
        self._later()

    def cancel(self, msg: object = None) -> bool:  # noqa: ARG002 -- what a task calls
        if self.done():
            return False
        self.set_exception(asyncio.CancelledError())
        return True

    def _later(self) -> None:
        if self._then is not None:
            self._loop.call_soon(self._then, self, context=self._context)


class Wire(asyncio.Protocol):
    """`ended` is called once, when no more can be asked; `pushed` with every message of a channel.

    `timeout`: seconds for a reply. Of a server that says nothing for four times as long, the
    connection is given up.
    """

    def __init__(
        self,
        timeout: float,
        ended: Callable[["Wire"], None],
        pushed: Callable[[list[Any]], None],
    ) -> None:
        self._timeout = timeout
        self._ended = ended
        self._pushed = pushed
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(notEnoughData=_NOTHING)
        self._waiting: deque[Waiting] = deque()
        self._out: list[bytes] = []
        self._transport: asyncio.Transport | None = None
        self._watch: asyncio.TimerHandle | None = None
        self._looked = False
        self.open = True

    def call(self, *command: Word) -> "asyncio.Future[Any]":
        """Ask. The future fails with Unreachable, or with what the server complains of."""
        loop = self._loop
        answer: asyncio.Future[Any] = loop.create_future()
        if not self.open:
            answer.set_exception(Unreachable("the connection is closed"))
            return answer
        self._put(pack_command(command), answer)  # type: ignore[arg-type]  # any number of words
        return answer

    def ask(self, packed: bytes) -> Reply:
        """`call` of a command that is written out as the protocol has it (RESP)."""
        reply = Reply(self._loop)
        if self.open:
            self._put(packed, reply)
        else:
            reply.set_exception(Unreachable("the connection is closed"))
        return reply

    def _put(self, packed: bytes, answer: "asyncio.Future[Any] | Reply") -> None:
        loop = self._loop
        if not self._out:
            loop.call_soon(self._flush)
        self._out.append(packed)
        self._waiting.append((answer, loop.time() + self._timeout))
        if self._watch is None:
            self._watch = loop.call_later(self._timeout, self._look)

    def tell(self, *command: Word) -> None:
        """Ask without caring for the reply."""
        self.call(*command).add_done_callback(_unheard)

    def close(self) -> None:
        self._end("the connection was closed")

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is of no such class

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        reader.feed(data)
        try:
            while (reply := reader.gets()) is not _NOTHING:
                if isinstance(reply, PushNotification) and reply[0] != b"subscribe":
                    self._pushed(reply)
                elif not self._waiting:
                    return self._end("the server answered what nobody asked")
                else:
                    _settle(self._waiting.popleft()[0], reply)
        except ProtocolError:
            self._end("the server does not speak Redis")

    def connection_lost(self, exc: Exception | None) -> None:
        self._end("the connection was lost" if exc is None else f"the connection was lost: {exc}")

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None and self.open:
            self._transport.write(b"".join(out))

    def _look(self) -> None:
        """Answer for the server where it takes too long, oldest first."""
        self._watch = None
        if not self._waiting:
            return
        now, first = self._loop.time(), self._waiting[0][1]
        if first <= now and not self._looked:
            # It may have been us who were busy: what has come meanwhile is read first.
            self._looked = True
            self._watch = self._loop.call_later(GLANCE, self._look)
            return
        self._looked = False
        if first + 3 * self._timeout <= now:
            self._end("the server says nothing")
            return
        for answer, due in self._waiting:
            if due > now:
                break
            if not answer.done():
                answer.set_exception(Unreachable("the server takes too long"))
        self._watch = self._loop.call_later(self._timeout, self._look)

    def _end(self, why: str) -> None:
        if not self.open:
            return
        self.open = False
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        waiting, self._waiting = self._waiting, deque()
        for answer, _ in waiting:
            if not answer.done():
                answer.set_exception(Unreachable(why))
        self._ended(self)


def _settle(answer: "asyncio.Future[Any] | Reply", reply: Any) -> None:
    if answer.done():  # too late, or whoever asked has gone
        return
    if isinstance(answer, Reply):
        answer.came(reply)
    elif isinstance(reply, ReplyError):
        answer.set_exception(reply)
    else:
        answer.set_result(reply)


def _unheard(answer: "asyncio.Future[Any]") -> None:
    if not answer.cancelled():
        answer.exception()
