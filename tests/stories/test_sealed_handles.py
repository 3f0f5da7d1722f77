"""Whatever a client must bring back is its own: nobody else's, unchanged, and good for a while."""

import base64
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest

from tests.torhaus.cast import run
from tests.torhaus.edge.doors import Caller, events, legacy, modern, routing, said
from tests.torhaus.gate.aggregate.crowd import Crowd, Member, Place, open_place, tool
from torhaus.gate.aggregate.lists import KEPT_FOR
from torhaus.gate.relay import EVENT_LIFETIME, REQUEST_LIFETIME
from torhaus.gate.rounds import LIFETIME as STATE_LIFETIME
from torhaus.gate.sessions import LIFETIME as SESSION_LIFETIME
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice, Sink

ONE, ALL = "/mcp/github", "/mcp"
STATE = "the server's own state"


class Github(Member):
    """Says something resumable, asks something, and takes calls in rounds, by the tool's name."""

    async def plays(self, ask: Ask, sink: Sink) -> Answer:
        if ask.method == "initialize":
            return Answer(result=b'{"protocolVersion":"2025-11-25","capabilities":{}}')
        if ask.name == "list_commits":
            body = b'{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info"}}'
            sink.notice(Notice(body=body, method="notifications/message", event_id="e1"))
        elif ask.name == "get_issue":
            body = b'{"jsonrpc":"2.0","id":"q1","method":"roots/list"}'
            sink.notice(Notice(body=body, method="roots/list", id=b'"q1"'))
        elif ask.name == "search_issues" and b"requestState" not in ask.params:
            asks = '{"k":{"method":"roots/list","params":{}}}'
            head = '{"resultType":"input_required","inputRequests":'
            return Answer(result=f'{head}{asks},"requestState":"{STATE}"}}'.encode())
        return await super().plays(ask, sink)


TOOLS = [tool(n) for n in ("list_issues", "list_commits", "get_issue", "search_issues")]


@dataclass
class Scene:
    place: Place
    server: Member

    async def come(self, who: str, target: str) -> Caller:
        return await self.place.come(f"{who}-key", target)

    def reached(self) -> int:
        """How often the server was told, asked or listened to by a client."""
        server = self.server
        calls = [each for each in server.asked if not each.method.endswith("/list")]
        return len(calls) + len(server.posted) + len(server.resumed)


@asynccontextmanager
async def open_scene() -> Any:
    crowd = Crowd("github")
    server = crowd.members["github"] = Github(name="github", tools=TOOLS)
    crowd.gate.upstreams.members["github"] = server  # type: ignore[attr-defined]
    crowd.tells(page=1)
    async with open_place(crowd) as place:
        yield Scene(place, server)


def name(caller: Caller, plain: str) -> str:
    return plain if caller.target == ONE else f"github__{plain}"


async def call(caller: Caller, plain: str, **more: Any) -> Any:
    params = {"name": name(caller, plain), "arguments": {}, **more}
    if caller.session is not None:
        return await caller.ask(legacy("tools/call", params))
    body = modern("tools/call", params)
    body["params"]["_meta"][CAPABILITIES_KEY] = {"roots": {}}
    return await caller.ask(body, routing("tools/call", params["name"]))


# -- what there is: how a client gets it, and how it brings it back --------------------------------


async def session_of(caller: Caller) -> str:
    await caller.begin(roots={})
    return caller.session or ""


async def in_session(caller: Caller, handle: str) -> bool:
    caller.session = handle
    return bool((await call(caller, "list_issues")).status == 200)


async def event_of(caller: Caller) -> str:
    answer = await call(caller, "list_commits")
    (found,) = [line[4:] for line in answer.body.split(b"\n") if line.startswith(b"id: ")]
    return str(found.decode())


async def resumed(caller: Caller, handle: str) -> bool:
    headers = {"accept": "text/event-stream", "last-event-id": handle}
    return bool((await caller.ask(b"", headers, method="GET")).status == 200)


async def question_of(caller: Caller) -> str:
    answer = await call(caller, "get_issue")
    return str(events(answer.body)[0]["id"])


async def answered(caller: Caller, handle: str) -> bool:
    body = {"jsonrpc": "2.0", "id": handle, "result": {"roots": []}}
    return bool((await caller.ask(body)).status == 202)


async def state_of(caller: Caller) -> str:
    return str(said(await call(caller, "search_issues"))["result"]["requestState"])


async def went_on(caller: Caller, handle: str) -> bool:
    responses: dict[str, Any] = {"k": {"roots": []}}
    answer = await call(caller, "search_issues", requestState=handle, inputResponses=responses)
    return "result" in said(answer)


async def cursor_of(caller: Caller) -> str:
    return str((await page(caller))["result"]["nextCursor"])


async def next_page(caller: Caller, handle: str) -> bool:
    return "result" in await page(caller, cursor=handle)


async def page(caller: Caller, **params: Any) -> Any:
    if caller.session is not None:
        return said(await caller.ask(legacy("tools/list", params)))
    return said(await caller.ask(modern("tools/list", params), routing("tools/list")))


@dataclass(frozen=True)
class Kind:
    """`sessions`: whether its client has a session, in which it is bound besides."""

    what: str
    target: str
    lifetime: float
    mint: Callable[[Caller], Awaitable[str]]
    use: Callable[[Caller, str], Awaitable[bool]]
    sessions: bool = True

    def __str__(self) -> str:
        return f"{self.what} {self.target} {'session' if self.sessions else 'stateless'}"


KINDS = [
    *(Kind("session id", where, SESSION_LIFETIME, session_of, in_session) for where in (ONE, ALL)),
    *(Kind("event id", where, EVENT_LIFETIME, event_of, resumed) for where in (ONE, ALL)),
    *(Kind("question id", where, REQUEST_LIFETIME, question_of, answered) for where in (ONE, ALL)),
    *(
        Kind("request state", where, STATE_LIFETIME, state_of, went_on, sessions=False)
        for where in (ONE, ALL)
    ),
    *(
        Kind("cursor", ALL, KEPT_FOR, cursor_of, next_page, sessions=sessions)
        for sessions in (True, False)
    ),
]


def flipped(handle: str) -> list[str]:
    """The handle with one bit of it changed: in its nonce, its content, its tag, and its text."""
    prefix, token = ("th.", handle[3:]) if handle.startswith("th.") else ("", handle)
    raw = base64.urlsafe_b64decode(token)
    changed = []
    for at in (0, len(raw) // 2, len(raw) - 1):
        other = bytearray(raw)
        other[at] ^= 1
        changed.append(prefix + base64.urlsafe_b64encode(other).decode())
    return [*changed, prefix + token[:-1], prefix + token + "A", prefix + token.swapcase()]


@pytest.mark.parametrize("kind", KINDS, ids=str)
def test_a_handle_is_good_for_its_owner_alone_unchanged_and_for_a_while(kind: Kind) -> None:
    async def story() -> None:
        async with open_scene() as scene:
            alice = await scene.come("alice", kind.target)
            bob = await scene.come("bob", kind.target)
            again = await scene.come("alice", kind.target)
            if kind.sessions:
                for each in (alice, bob, again):
                    await each.begin(roots={})
            handle = await kind.mint(alice)
            before = scene.reached()

            assert not await kind.use(bob, handle)
            for changed in flipped(handle):
                assert not await kind.use(alice, changed), changed
            if kind.sessions and kind.what != "session id":
                assert not await kind.use(again, handle)
            assert scene.reached() == before

            alice.session = handle if kind.what == "session id" else alice.session
            assert await kind.use(alice, handle)

            scene.place.crowd.clock.turn(kind.lifetime + 1)
            used = scene.reached()
            assert not await kind.use(alice, handle)
            assert scene.reached() == used

    run(story())


def test_a_handle_of_one_kind_or_place_opens_nothing_else() -> None:
    async def story() -> None:
        async with open_scene() as scene:
            one, many = await scene.come("alice", ONE), await scene.come("alice", ALL)
            for each in (one, many):
                await each.begin(roots={})
            session, event = one.session or "", await event_of(one)
            question, elsewhere = await question_of(one), await event_of(many)
            before = scene.reached()

            assert not await resumed(one, session)
            assert not await resumed(one, question.removeprefix("th."))
            assert not await resumed(one, elsewhere)
            assert not await answered(one, f"th.{event}")
            assert not await answered(many, question)
            assert not await in_session(many, session)
            one.session = many.session = None
            assert not await went_on(one, event)
            assert not await next_page(many, event)
            assert scene.reached() == before

    run(story())
