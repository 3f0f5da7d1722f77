"""Clients with a session that can show their users a link."""

import asyncio
import json
from typing import Any

import pytest

from tests.torhaus.cast import run, settled
from tests.torhaus.gate.holding import CAREFUL, Holding
from tests.torhaus.scripted import dumps
from tests.torhaus.witnesses import Window
from torhaus.gate.calls import Asking
from torhaus.gate.sessions import Hello
from torhaus.mcp.message import Response
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.approval import State
from torhaus.model.outcome import Answered, Held, Outcome, Refused
from torhaus.model.session import Session

ISSUE = {"owner": "o", "repo": "r", "title": "t"}
LINKS = {"elicitation": {"url": {}}}


def a_session(world: Holding, capabilities: object = LINKS, version: str = "2025-11-25") -> Session:
    hello = Hello(version=version, capabilities=dumps(capabilities), client_info=b"{}")
    return world.session(by=CAREFUL, hello=hello)


def create(world: Holding, session: Session | None = None, **more: Any) -> Asking:
    return world.here(world.tool("create_issue", ISSUE, by=CAREFUL, session=session, **more))


def with_links(**params: Any) -> dict[str, Any]:
    return {"_meta": {CAPABILITIES_KEY: LINKS}, **params}


def result(outcome: Outcome) -> dict[str, Any]:
    assert isinstance(outcome, Held), outcome
    found: dict[str, Any] = json.loads(outcome.answer.result or b"{}")
    return found


def code(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused), outcome
    return outcome.verdict.code


async def answers(
    world: Holding, session: Session, id: object, member: str, payload: bytes
) -> None:
    assert isinstance(id, str)
    await world.talk.answer(world.server, session, session.principal, Response(id, member, payload))


def test_a_session_s_client_is_asked_to_show_the_link() -> None:
    async def story() -> None:
        world, window = Holding(hold=5), Window()
        session = a_session(world)
        call = world.begin(create(world, session), window)
        await settled()

        (ask,) = window.messages()
        assert ask["method"] == "elicitation/create"
        assert ask["params"]["mode"] == "url"
        assert ask["params"]["url"].endswith("/approvals/apr_1?t=x")
        assert ask["params"]["elicitationId"] == "apr_1"
        assert "you cannot approve it yourself" in ask["params"]["message"]

        await answers(world, session, ask["id"], "result", b'{"action":"accept"}')
        world.approve()

        assert isinstance(await call, Answered)
        assert world.sent() == ["create_issue"]
        done = window.messages()[-1]
        assert done["method"] == "notifications/elicitation/complete"
        assert done["params"] == {"elicitationId": "apr_1"}
        assert world.upstream.posted == []  # the server hears nothing of our question

    run(story())


def test_an_unanswered_question_is_taken_back() -> None:
    async def story() -> None:
        world, window = Holding(), Window()

        found = result(await world.admit(create(world, a_session(world)), window))

        ask, off = window.messages()
        assert off["method"] == "notifications/cancelled"
        assert off["params"]["requestId"] == ask["id"]
        assert found["isError"] is True

    run(story())


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_user_who_declines_withdraws_the_request(action: str) -> None:
    async def story() -> None:
        world, window = Holding(hold=5), Window()
        session = a_session(world)
        call = world.begin(create(world, session), window)
        await settled()
        ask = window.messages()[0]

        await answers(world, session, ask["id"], "result", dumps({"action": action}))

        assert code(await call) == "approval_cancelled"
        assert world.approvals.states() == [State.CANCELLED]
        assert world.sent() == []

    run(story())


def test_a_user_who_declines_withdraws_nothing_that_another_call_waits_for() -> None:
    async def story() -> None:
        world, window = Holding(hold=5), Window()
        session = a_session(world)
        call = world.begin(create(world, session), window)
        other = world.begin(create(world))
        await settled()

        ask = window.messages()[0]
        await answers(world, session, ask["id"], "result", b'{"action":"decline"}')

        assert code(await call) == "approval_cancelled"
        assert world.approvals.states() == [State.PENDING]
        world.approve()
        assert isinstance(await other, Answered)

    run(story())


@pytest.mark.parametrize(
    ("member", "payload"),
    [
        ("error", b'{"code":-32600,"message":"no"}'),
        ("result", b'{"action":"accepted"}'),
        ("result", b'{"action":1}'),
        ("result", b"{}"),
    ],
)
def test_a_client_that_cannot_show_it_after_all_waits_on(member: str, payload: bytes) -> None:
    async def story() -> None:
        world, window = Holding(hold=5), Window()
        session = a_session(world)
        call = world.begin(create(world, session), window)
        await settled()

        await answers(world, session, window.messages()[0]["id"], member, payload)
        await settled()
        assert not call.done()
        world.approve()

        assert isinstance(await call, Answered)

    run(story())


def test_whoever_accepts_gets_the_time_to_wait_once_more() -> None:
    async def story() -> None:
        world, window = Holding(hold=2.0), Window()
        session = a_session(world)
        loop = asyncio.get_running_loop()
        began = loop.time()
        call = world.begin(create(world, session), window)
        await asyncio.sleep(0.5)
        for _ in range(2):
            id = window.messages()[0]["id"]
            await answers(world, session, id, "result", b'{"action":"accept"}')

        outcome = await call

        assert isinstance(outcome, Held)
        assert 2.4 < loop.time() - began < 4.0

    run(story())


def test_another_session_cannot_answer_the_question() -> None:
    async def story() -> None:
        world, window = Holding(hold=5), Window()
        session, other = a_session(world), a_session(world)
        call = world.begin(create(world, session), window)
        await settled()
        wait = next(iter(world.patience.waits._all))

        answer = Response("x", "result", b'{"action":"decline"}')
        world.patience.waits.heard(other, wait.question, answer)
        await settled()

        assert not call.done()
        assert wait.action is None
        call.cancel()

    run(story())


def test_an_answer_that_comes_too_late_changes_nothing() -> None:
    async def story() -> None:
        world, window = Holding(), Window()
        session = a_session(world)
        await world.admit(create(world, session), window)

        id = window.messages()[0]["id"]
        await answers(world, session, id, "result", b'{"action":"decline"}')

        assert world.approvals.states() == [State.PENDING]
        assert world.upstream.posted == []

    run(story())


@pytest.mark.parametrize(
    ("capabilities", "version"),
    [
        ({}, "2025-11-25"),
        ({"elicitation": {}}, "2025-11-25"),
        ({"elicitation": {"form": {}}}, "2025-11-25"),
        ({"elicitation": {"url": True}}, "2025-11-25"),
        ({"elicitation": "url"}, "2025-11-25"),
        (LINKS, "2025-06-18"),
        ([], "2025-11-25"),
    ],
)
def test_nobody_is_asked_who_has_not_said_that_he_shows_links(
    capabilities: object, version: str
) -> None:
    async def story() -> None:
        world, window = Holding(), Window()

        await world.admit(create(world, a_session(world, capabilities, version)), window)

        assert window.messages() == []

    run(story())
