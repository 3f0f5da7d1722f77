"""An approved call whose server asks something first: it goes on, once for each answer."""

import asyncio
import json
from typing import Any

import pytest

from tests.torhaus.cast import BOB, run
from tests.torhaus.gate.holding import CAREFUL, Holding
from tests.torhaus.scripted import dumps, text
from torhaus.gate.calls import Asking
from torhaus.gate.further import LIFETIME, PREFIX
from torhaus.mcp.message import CallerError
from torhaus.model.approval import State
from torhaus.model.outcome import Answer, Answered, Held, Outcome, Refused
from torhaus.model.people import Principal

ISSUE = {"owner": "o", "repo": "r", "title": "t"}
ASKS = {
    "resultType": "input_required",
    "inputRequests": {"q": {"method": "elicitation/create", "params": {"message": "sure?"}}},
}
ANSWERS = {"inputResponses": {"q": {"action": "accept", "content": {}}}}


def create(world: Holding, by: Principal = CAREFUL, title: str = "t", **extra: Any) -> Asking:
    return world.here(world.tool("create_issue", {**ISSUE, "title": title}, by=by, extra=extra))


def state(outcome: Outcome) -> str:
    assert isinstance(outcome, Answered)
    found: str = json.loads(outcome.answer.result or b"")["requestState"]
    return found


async def asked(world: Holding, server_state: str | None = "inner") -> str:
    """The call is approved, sent, and its server has a question; the state that comes with it."""
    await world.admit(create(world))
    world.approve()
    result = ASKS if server_state is None else {**ASKS, "requestState": server_state}
    world.upstream.answers(Answer(result=dumps(result)))
    return state(await world.admit(create(world)))


@pytest.mark.parametrize("server_state", ["inner", None])
def test_the_answers_continue_the_call_without_another_approval(server_state: str | None) -> None:
    async def story() -> None:
        world = Holding()
        token = await asked(world, server_state)
        assert token.startswith(PREFIX)
        world.upstream.answers(text("done"))

        outcome = await world.admit(create(world, requestState=token, **ANSWERS))

        assert isinstance(outcome, Answered)
        assert outcome.verdict.approved == "apr_1"
        params = json.loads(world.upstream.calls()[-1].params)
        assert params.get("requestState") == server_state
        assert params["inputResponses"] == ANSWERS["inputResponses"]
        assert world.approvals.states() == [State.USED]
        assert world.ledger.noted[-1].access_control.approval == "apr_1"

    run(story())


def test_several_questions_follow_each_other() -> None:
    async def story() -> None:
        world = Holding()
        token = await asked(world)
        for _ in range(3):
            token = state(await world.admit(create(world, requestState=token, **ANSWERS)))

        assert len(world.sent()) == 4
        assert world.approvals.states() == [State.USED]

    run(story())


def test_each_question_is_answered_once() -> None:
    async def story() -> None:
        world = Holding()
        token = await asked(world)
        world.upstream.answers(text("done"))

        ends = await asyncio.gather(
            *(world.admit(create(world, requestState=token, **ANSWERS)) for _ in range(20))
        )

        assert sum(isinstance(each, Answered) for each in ends) == 1
        refused = [each for each in ends if isinstance(each, Refused)]
        assert len(refused) == 19
        assert {each.verdict.code for each in refused} == {"approval_used"}
        assert len(world.sent()) == 2

    run(story())


def test_a_question_is_not_open_for_ever() -> None:
    async def story() -> None:
        world = Holding()
        token = await asked(world)
        world.clock.turn(LIFETIME)

        with pytest.raises(CallerError):
            await world.admit(create(world, requestState=token, **ANSWERS))

        assert len(world.sent()) == 1

    run(story())


@pytest.mark.parametrize("change", ["arguments", "user", "token", "nothing"])
def test_the_state_fits_no_other_request(change: str) -> None:
    async def story() -> None:
        world = Holding()
        token = await asked(world)
        wrong = {
            "arguments": lambda: create(world, title="u", requestState=token, **ANSWERS),
            "user": lambda: create(world, by=BOB, requestState=token, **ANSWERS),
            "token": lambda: create(world, requestState=token[:-4] + "AAAA", **ANSWERS),
            "nothing": lambda: create(world, requestState=PREFIX, **ANSWERS),
        }

        with pytest.raises(CallerError) as refused:
            await world.admit(wrong[change]())

        assert refused.value.code == -32602
        assert len(world.sent()) == 1

    run(story())


def test_a_changed_policy_wants_a_new_approval_for_the_rest() -> None:
    async def story() -> None:
        world = Holding()
        token = await asked(world)
        world.changed(policy_version="p2")

        outcome = await world.admit(create(world, requestState=token, **ANSWERS))

        assert isinstance(outcome, Held)
        assert outcome.approval == "apr_2"
        assert len(world.sent()) == 1

    run(story())


def test_another_process_does_not_continue_it() -> None:
    """What it has answered already is known to the one that asked only."""

    async def story() -> None:
        world, other = Holding(), Holding()  # with the same sealing secret
        token = await asked(world)

        ended = await other.admit(create(other, requestState=token, **ANSWERS))

        assert isinstance(ended, Refused)
        assert ended.verdict.code == "approval_used"
        assert other.sent() == []

    run(story())


def test_answers_that_nobody_agreed_to_need_an_approval_of_their_own() -> None:
    """They could say what the call is about."""

    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()

        outcome = await world.admit(create(world, **ANSWERS))

        assert isinstance(outcome, Held)
        assert outcome.approval == "apr_2"
        assert b"inputResponses" in world.approvals.all["apr_2"].wanted.arguments.encode()
        assert world.sent() == []

    run(story())
