"""A server that does what the story says, and the messages it sends."""

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice, Sink
from torhaus.model.servers import Server
from torhaus.model.session import Session

TOOLS: list[dict[str, Any]] = [
    {"name": "list_issues", "inputSchema": {"type": "object"}},
    {"name": "create_issue", "inputSchema": {"type": "object"}},
]


def text(said: str, **more: Any) -> Answer:
    """A tool's result that says this."""
    return Answer(result=dumps({"content": [{"type": "text", "text": said}], **more}))


def listing(*tools: Mapping[str, Any], **more: Any) -> Answer:
    return Answer(result=dumps({"tools": list(tools), **more}))


def dumps(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


Script = Callable[[Ask, Sink], Awaitable[Answer]]


def always(answer: Answer) -> Script:
    async def script(ask: Ask, sink: Sink) -> Answer:
        return answer

    return script


async def answer_by_tool(ask: Ask, sink: Sink) -> Answer:
    """Lists its tools, and says of every other request what it was asked."""
    if ask.method == "tools/list":
        return listing(*TOOLS)
    return text(f"{ask.method} {ask.name or ''}".strip())


@dataclass
class ScriptedServer:
    """A `Link` and the `Upstreams` that leads to it. It does what `script` says.

    `asked`: every request that reached it, `tools/list` of the gate's own included.
    """

    script: Script = answer_by_tool
    asked: list[Ask] = field(default_factory=list)
    posted: list[bytes] = field(default_factory=list)
    resumed: list[str | None] = field(default_factory=list)
    closed: list[Session] = field(default_factory=list)
    cancelled: int = 0
    listening: Callable[[Session, str | None, Sink], Awaitable[None]] | None = None
    refuses_posts: Exception | None = None

    def link(self, server: Server) -> "ScriptedServer":
        return self

    async def request(self, ask: Ask, sink: Sink) -> Answer:
        self.asked.append(ask)
        try:
            return await self.script(ask, sink)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:
        if self.refuses_posts is not None:
            raise self.refuses_posts
        self.posted.append(body)

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        self.resumed.append(last_event_id)
        if self.listening is not None:
            await self.listening(session, last_event_id, sink)

    async def close(self, session: Session) -> None:
        self.closed.append(session)

    def state(self) -> str:
        return "ready"

    async def shutdown(self) -> None:
        """Nothing runs."""

    def calls(self) -> list[Ask]:
        """Without the gate's own look at the list of tools."""
        return [ask for ask in self.asked if ask.method != "tools/list"]

    def answers(self, answer: Answer) -> None:
        async def script(ask: Ask, sink: Sink) -> Answer:
            return listing(*TOOLS) if ask.method == "tools/list" else answer

        self.script = script

    def fails(self, error: Exception) -> None:
        async def script(ask: Ask, sink: Sink) -> Answer:
            if ask.method == "tools/list":
                return listing(*TOOLS)
            raise error

        self.script = script

    def waits(self) -> "Held":
        """From now on every call waits until the story lets it go on."""
        held = Held()
        self.script = held.script
        return held


class Held:
    """Calls the server has begun and not answered, in the order they came."""

    def __init__(self) -> None:
        self.begun: deque[tuple[Ask, Sink, asyncio.Future[Answer]]] = deque()
        self._came = asyncio.Event()

    async def script(self, ask: Ask, sink: Sink) -> Answer:
        if ask.method == "tools/list":
            return listing(*TOOLS)
        future: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self.begun.append((ask, sink, future))
        self._came.set()
        return await future

    async def came(self) -> Sink:
        """Wait for the first call; its sink."""
        await self._came.wait()
        return self.begun[0][1]

    def answer(self, answer: Answer) -> None:
        """Answer the call that came first."""
        self.begun.popleft()[2].set_result(answer)

    def fail(self, error: Exception) -> None:
        self.begun.popleft()[2].set_exception(error)


def note(
    method: str, params: object = None, *, id: object = None, event: str | None = None
) -> Notice:
    """A message of the server beside its answer."""
    message: dict[str, Any] = {"jsonrpc": "2.0", "method": method}
    if id is not None:
        message["id"] = id
    if params is not None:
        message["params"] = params
    return Notice(
        body=dumps(message),
        method=method,
        id=None if id is None else dumps(id),
        event_id=event,
    )


def late(id_text: bytes, answer: Answer, event: str | None = None) -> Notice:
    """An answer that comes on a listening stream."""
    member, value = (
        (b"result", answer.result) if answer.result is not None else (b"error", answer.error)
    )
    body = b'{"jsonrpc":"2.0","id":%b,"%b":%b}' % (id_text, member, value or b"{}")
    return Notice(body=body, id=id_text, event_id=event)
