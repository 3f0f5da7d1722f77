"""What the audit log holds of calls that nobody came back to."""

import json
from typing import Any

import pytest

from tests.torhaus.cast import DANA, ENVELOPE, World, github, run
from tests.torhaus.gate.veiled import BLIND
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.servers import Era

WHY = "nobody answered the server within 600 s, so it was told cancel"


def asking(world: World, arguments: Any = None, able: Any = None, **more: Any) -> Any:
    meta = {**ENVELOPE, CAPABILITIES_KEY: {"elicitation": {}} if able is None else able}
    return world.tool("list_issues", arguments, extra={"_meta": meta}, **more)


def test_a_call_that_lapses_leaves_one_record_more_which_says_why_and_of_which_round():
    async def story() -> None:
        world = World().knows_the_tools()
        await world.admit(asking(world, {"repo": "a/b"}))
        (ask,) = world.upstream.calls()
        (before,) = world.ledger.noted

        assert ask.lapsed is not None
        ask.lapsed(WHY)

        _, after = world.ledger.noted
        assert (after.result.status, after.operation) == ("cancelled", "list_issues")
        assert after.access_control.reason == f"{WHY}; it follows {before.request_id}"
        assert after.request_id != before.request_id
        assert after.user == before.user
        assert json.loads(bytes(after.parameters)) == {"repo": "a/b"}
        assert after.phase == ""

    run(story())


def test_its_secrets_are_masked_there_too():
    async def story() -> None:
        world = World(github())
        world.knows_the_tools()
        secret = "ghp_" + "a1B2c3D4e5" * 3 + "F6g7H8"
        await world.admit(asking(world, {"q": secret}, by=BLIND))

        (ask,) = world.upstream.calls()
        assert ask.lapsed is not None
        ask.lapsed(WHY)

        assert secret.encode() not in bytes(world.ledger.noted[-1].parameters)

    run(story())


@pytest.mark.parametrize("able", [{}, {"elicitation": {}}])
def test_only_who_can_be_asked_can_be_waited_for(able: dict[str, Any]):
    async def story() -> None:
        world = World().knows_the_tools()

        await world.admit(asking(world, able=able))

        assert (world.upstream.calls()[0].lapsed is not None) is bool(able)

    run(story())


def test_calls_in_sessions_are_never_parked():
    async def story() -> None:
        world = World().knows_the_tools()

        await world.admit(world.tool("list_issues", session=world.session()))

        (ask,) = world.upstream.calls()
        assert (ask.lapsed, ask.changes, ask.era) == (None, False, Era.LEGACY)

    run(story())


def test_a_server_hears_which_calls_may_have_changed_its_lists():
    async def story() -> None:
        world = World(github()).knows_the_tools()
        able: dict[str, Any] = {}

        await world.admit(asking(world, able=able))
        told = {"by": DANA, "extra": {"_meta": ENVELOPE}}
        await world.admit(world.tool("create_issue", **told))

        assert [each.changes for each in world.upstream.calls()] == [False, True]

    run(story())


def test_a_lapse_that_cannot_be_recorded_hurts_nobody():
    async def story() -> None:
        world = World().knows_the_tools()
        await world.admit(asking(world))
        (ask,) = world.upstream.calls()
        world.ledger.refuses = True

        assert ask.lapsed is not None
        ask.lapsed(WHY)

        assert len(world.ledger.noted) == 1

    run(story())
