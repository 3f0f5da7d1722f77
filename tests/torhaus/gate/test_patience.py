"""How a caller hears that he must wait, and what ends the wait."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import BOB, run, settled
from tests.torhaus.gate.holding import CAREFUL, Holding, Present
from tests.torhaus.scripted import dumps
from tests.torhaus.witnesses import Window
from torhaus.gate.calls import Asking
from torhaus.gate.patience import MOST_ROUNDS
from torhaus.gate.sessions import Hello
from torhaus.gate.waits import MOST_EACH
from torhaus.mcp.message import Notification, Response
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


# -- clients that can show no link -------------------------------------------------------------


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_client_without_links_is_told_to_come_back(era: str) -> None:
    async def story() -> None:
        world = Holding()
        session = None if era == "modern" else a_session(world, {})

        found = result(await world.admit(create(world, session)))

        assert found["isError"] is True
        assert found.get("resultType") == ("complete" if era == "modern" else None)
        told = found["content"][0]["text"]
        assert told.startswith("Pending: ")
        for said in (
            "lead or bob@example.org",
            "not dana@example.org",
            "apr_1",
            "?t=x",
            "Call again",
        ):
            assert said in told
        about = found["_meta"]["torhaus/approval"]
        assert about["id"] == "apr_1"
        assert about["state"] == "pending"
        assert about["url"].endswith("/approvals/apr_1?t=x")

    run(story())


def test_without_a_page_the_id_is_said() -> None:
    async def story() -> None:
        world = Holding()
        world.patience.link = lambda approval: None

        found = result(await world.admit(create(world, extra=with_links())))

        assert "Tell them this id" in found["content"][0]["text"]
        assert "url" not in found["_meta"]["torhaus/approval"]

    run(story())


def test_progress_is_told_at_once_under_the_caller_s_own_token() -> None:
    async def story() -> None:
        world, window = Holding(), Window()

        await world.admit(create(world, extra={"_meta": {"progressToken": 7}}), window)

        (first,) = window.messages()
        assert first["method"] == "notifications/progress"
        assert first["params"]["progressToken"] == 7
        assert first["params"]["progress"] < 1
        assert "lead or bob@example.org" in first["params"]["message"]

    run(story())


@pytest.mark.parametrize("token", [None, True, ["x"], {}, 1.5])
def test_without_a_usable_token_nothing_is_told(token: object) -> None:
    async def story() -> None:
        world, window = Holding(), Window()
        meta = {} if token is None else {"progressToken": token}

        await world.admit(create(world, extra={"_meta": meta}), window)

        assert window.events == []

    run(story())


# -- rounds of a stateless client --------------------------------------------------------------


def again(world: Holding, state: str, action: str | None = "accept", **more: Any) -> Asking:
    params: dict[str, Any] = with_links(requestState=state, **more)
    if action is not None:
        params["inputResponses"] = {"torhaus-approval": {"action": action}}
    return create(world, extra=params)


async def first(world: Holding) -> dict[str, Any]:
    return result(await world.admit(create(world, extra=with_links())))


def test_a_stateless_client_is_asked_at_once_and_comes_back() -> None:
    async def story() -> None:
        world = Holding(hold=60)
        found = await first(world)

        assert found["resultType"] == "input_required"
        ask = found["inputRequests"]["torhaus-approval"]
        assert ask["method"] == "elicitation/create"
        assert ask["params"]["mode"] == "url"
        assert "elicitationId" not in ask["params"]
        assert found["_meta"]["torhaus/approval"]["id"] == "apr_1"

        call = world.begin(again(world, found["requestState"]))
        await settled()
        world.approve()

        assert isinstance(await call, Answered)
        (sent,) = world.upstream.calls()
        assert b"requestState" not in sent.params
        assert b"inputResponses" not in sent.params

    run(story())


def test_a_stateless_client_is_asked_once_and_then_only_sent_back() -> None:
    async def story() -> None:
        world = Holding(hold=0.01)
        found = await first(world)
        for _ in range(MOST_ROUNDS - 1):
            found = result(await world.admit(again(world, found["requestState"])))
            assert found["resultType"] == "input_required"
            assert "inputRequests" not in found

        last = result(await world.admit(again(world, found["requestState"], None)))

        assert last["isError"] is True
        assert last["resultType"] == "complete"
        assert world.approvals.states() == [State.PENDING]

    run(story())


@pytest.mark.parametrize("action", ["decline", "cancel"])
def test_a_stateless_client_s_user_can_withdraw(action: str) -> None:
    async def story() -> None:
        world = Holding(hold=5)
        found = await first(world)

        assert code(await world.admit(again(world, found["requestState"], action))) == (
            "approval_cancelled"
        )
        assert world.approvals.states() == [State.CANCELLED]

    run(story())


def test_a_state_for_a_request_that_is_over_asks_anew() -> None:
    async def story() -> None:
        world = Holding(hold=5)
        found = await first(world)
        await world.approvals.cancel("apr_1", world.clock())

        fresh = result(await world.admit(again(world, found["requestState"], "decline")))

        assert fresh["inputRequests"]
        assert world.approvals.states() == [State.CANCELLED, State.PENDING]

    run(story())


def test_methods_that_know_no_rounds_wait_and_are_told() -> None:
    async def story() -> None:
        world = Holding()
        params = {**with_links(), "ref": {"type": "ref/prompt", "name": "x"}, "argument": {}}

        outcome = await world.admit(
            world.here(world.asking("completion/complete", params, by=CAREFUL))
        )

        assert isinstance(outcome, Held)
        error = json.loads(outcome.answer.error or b"{}")
        assert error["code"] == 1202
        assert error["message"].startswith("Pending: ")
        assert error["data"]["state"] == "pending"

    run(story())


# -- the end of a wait -------------------------------------------------------------------------


def test_only_so_many_calls_of_one_caller_wait() -> None:
    async def story() -> None:
        world = Holding(hold=60)
        calls = [world.begin(create(world, id=number)) for number in range(MOST_EACH)]
        await settled(50)

        one_more = await world.admit(create(world, id="more"))

        assert isinstance(one_more, Held)
        assert not any(call.done() for call in calls)
        for call in calls:
            call.cancel()
        await asyncio.wait(calls)
        assert len(world.patience.waits) == 0

    run(story())


def test_nobody_waits_when_the_gateway_stops() -> None:
    async def story() -> None:
        world = Holding(hold=60)
        call = world.begin(create(world))
        await settled()

        world.patience.waits.close()

        assert isinstance(await call, Held)
        assert isinstance(await world.admit(create(world)), Held)

    run(story())


def test_a_caller_who_has_hung_up_uses_no_approval() -> None:
    async def story() -> None:
        world = Holding(hold=60)
        present = Present(world, CAREFUL.id)
        asking = msgspec.structs.replace(create(world, a_session(world, {})), visit=present)
        call = world.begin(asking)
        await settled()

        present.gone = True
        await asyncio.wait({call})

        assert call.cancelled()
        assert world.approvals.states() == [State.PENDING]
        assert world.ledger.statuses() == ["cancelled"]

    run(story())


def test_a_cancelled_call_withdraws_its_request_and_the_server_hears_nothing() -> None:
    async def story() -> None:
        world = Holding(hold=60)
        session = a_session(world, {})
        call = world.begin(create(world, session, id="a"))
        await settled()

        await _cancel(world, session, "a")
        await asyncio.wait({call})
        await settled()

        assert world.approvals.states() == [State.CANCELLED]
        assert world.upstream.posted == []
        assert world.ledger.statuses() == ["cancelled"]

    run(story())


def test_a_cancelled_call_leaves_the_request_to_another_that_waits() -> None:
    async def story() -> None:
        world = Holding(hold=60)
        session = a_session(world, {})
        call = world.begin(create(world, session, id="a"))
        other = world.begin(create(world, session, id="b"))
        await settled()

        await _cancel(world, session, "a")
        await asyncio.wait({call})
        world.approve(by=BOB)

        assert isinstance(await other, Answered)

    run(story())


async def _cancel(world: Holding, session: Session, id: str) -> None:
    params = {"requestId": id}
    note = Notification("notifications/cancelled", params, dumps(params))
    await world.talk.notify(world.server, session, session.principal, note)
