import json
from typing import Any

import pytest

from tests.torhaus.cast import ALICE, BOB, NOW, World, github, request, run
from tests.torhaus.scripted import dumps, text
from torhaus.gate import rounds
from torhaus.gate.calls import Asking
from torhaus.mcp.message import CallerError
from torhaus.mcp.seal import SealError
from torhaus.model.outcome import Answer, Answered

ASKS = {
    "resultType": "input_required",
    "inputRequests": {"who": {"method": "elicitation/create", "params": {}}},
    "requestState": "upstream's own \u2603",
}
CALL: dict[str, Any] = {"name": "list_issues", "arguments": {"repo": "a/b"}}


async def first_round(world: World, **more: Any) -> str:
    world.upstream.answers(Answer(result=dumps(ASKS)))
    outcome = await world.admit(world.asking("tools/call", {**CALL, **more}))
    assert isinstance(outcome, Answered)
    shown = json.loads(outcome.answer.result or b"")
    assert shown["inputRequests"] == ASKS["inputRequests"]
    return str(shown["requestState"])


def retry(world: World, state: object, **more: Any) -> Asking:
    by = more.pop("by", ALICE)
    params = {**CALL, "inputResponses": {"who": {}}, "requestState": state, **more}
    return world.asking("tools/call", params, by=by, id=2)


def test_the_servers_state_crosses_the_gate_sealed_and_comes_back_as_it_was():
    async def story() -> None:
        world = World().knows_the_tools()
        state = await first_round(world)
        assert "upstream" not in state

        world.upstream.answers(text("done"))
        outcome = await world.admit(retry(world, state))

        assert isinstance(outcome, Answered)
        sent = json.loads(world.upstream.asked[-1].params)
        assert sent["requestState"] == ASKS["requestState"]
        assert sent["inputResponses"] == {"who": {}}
        assert sent["arguments"] == CALL["arguments"]

    run(story())


def test_other_meta_and_other_responses_do_not_matter():
    async def story() -> None:
        world = World().knows_the_tools()
        state = await first_round(world, _meta={"progressToken": 1})

        assert await world.admit(retry(world, state, _meta={"progressToken": 2}))
        assert await world.admit(retry(world, state, inputResponses={"other": 1}))

    run(story())


@pytest.mark.parametrize(
    "change",
    [
        {"by": BOB},
        {"name": "get_me"},
        {"arguments": {"repo": "a/c"}},
        {"arguments": {"repo": "a/b", "more": None}},
        {"arguments": {}},
        {"vendor": 1},
    ],
)
def test_the_state_is_bound_to_its_caller_and_to_the_very_request(change: dict[str, Any]):
    async def story() -> None:
        world = World().knows_the_tools()
        state = await first_round(world)

        with pytest.raises(CallerError) as caught:
            await world.admit(retry(world, state, **change))

        assert (caught.value.code, caught.value.status, caught.value.id) == (-32602, 400, b"2")
        assert isinstance(caught.value.__cause__, SealError)
        assert len(world.upstream.asked) == 1

    run(story())


@pytest.mark.parametrize("state", ["", "forged", 7, {}, [], True, "upstream's own \u2603"])
def test_a_state_that_is_not_ours_is_refused(state: object):
    async def story() -> None:
        world = World().knows_the_tools()

        with pytest.raises(CallerError) as caught:
            await world.admit(retry(world, state))

        assert caught.value.code == -32602
        assert world.upstream.asked == []

    run(story())


def test_a_state_expires():
    async def story() -> None:
        world = World().knows_the_tools()
        state = await first_round(world)
        world.clock.turn(rounds.LIFETIME)

        with pytest.raises(CallerError):
            await world.admit(retry(world, state))

    run(story())


def test_a_state_of_one_server_does_not_open_at_another():
    async def story() -> None:
        world = World().knows_the_tools()
        state = await first_round(world)
        world.server = github(name="mirror")

        with pytest.raises(CallerError):
            await world.admit(retry(world, state))

    run(story())


def test_a_retry_is_decided_again():
    async def story() -> None:
        world = World().knows_the_tools()
        state = await first_round(world)
        nobody = ALICE.__class__(id=ALICE.id, email=ALICE.email)

        outcome = await world.admit(retry(world, state, by=nobody))

        assert not isinstance(outcome, Answered)
        assert len(world.upstream.asked) == 1

    run(story())


@pytest.mark.parametrize(
    "result",
    [
        {"resultType": "complete", "requestState": "x"},
        {"resultType": "input_required"},
        {"content": [{"type": "text", "text": "input_required"}]},
        {"resultType": "input_required", "requestState": 7},
    ],
)
def test_other_results_stay_as_they_are(result: dict[str, Any]):
    world = World()
    raw = dumps(result)

    assert rounds.sealed(raw, request("tools/call", CALL), "s", "p", world.sealer, NOW) is raw


def test_an_absent_state_is_no_state():
    asked = request("tools/call", {**CALL, "requestState": None})

    assert rounds.opened(asked, "s", "p", World().sealer, NOW) == asked.payload
