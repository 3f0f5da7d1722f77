"""A call that needs approval, through the whole gate."""

import asyncio
import json

import msgspec

from tests.torhaus.cast import BOB, DAY, NOW, keeping, run, settled
from tests.torhaus.gate.holding import (
    CAREFUL,
    Holding,
    access,
    code,
    create,
)
from tests.torhaus.scripted import listing, text
from tests.torhaus.witnesses import MemoryApprovals
from torhaus.gate.calls import Asking
from torhaus.model.approval import State, Wanted
from torhaus.model.outcome import Answered, Held, Limited, Refused
from torhaus.model.ports import StateError, UpstreamError
from torhaus.model.servers import Window


def test_a_call_that_needs_approval_is_held_and_recorded_as_pending() -> None:
    async def story() -> None:
        world = Holding()

        outcome = await world.admit(create(world))

        assert isinstance(outcome, Held)
        assert outcome.approval == "apr_1"
        assert world.sent() == []
        assert world.ledger.statuses() == ["pending"]
        assert access(world)["approval"] == "apr_1"
        assert access(world)["allowed"] is False
        assert access(world)["policy_applied"] == "four eyes"
        assert world.meter.ends == [("create_issue", "pending")]

    run(story())


def test_an_approved_call_runs_once_and_its_record_names_the_approval() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()

        outcome = await world.admit(create(world))

        assert isinstance(outcome, Answered)
        assert outcome.verdict.approved == "apr_1"
        assert world.sent() == ["create_issue"]
        assert world.approvals.told == [
            ("apr_1", "requested"),
            ("apr_1", "approved"),
            ("apr_1", "used"),
        ]
        assert access(world)["approval"] == "apr_1"
        assert access(world)["allowed"] is True

    run(story())


def test_an_approval_given_while_the_caller_waits_lets_the_call_go_on() -> None:
    async def story() -> None:
        world = Holding(hold=5)
        call = world.begin(create(world))
        await settled()
        world.approve()

        outcome = await call

        assert isinstance(outcome, Answered)
        assert world.sent() == ["create_issue"]
        assert world.ledger.statuses() == ["success"]

    run(story())


def test_fifty_calls_at_once_use_one_approval_once() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()

        ends = await asyncio.gather(*(world.admit(create(world)) for _ in range(50)))

        assert world.sent() == ["create_issue"]
        assert sum(isinstance(each, Answered) for each in ends) == 1
        others = [each for each in ends if not isinstance(each, Answered)]
        assert {code(each) for each in others if isinstance(each, Refused)} == {"approval_used"}
        assert all(isinstance(each, Refused | Held) for each in others)

    run(story())


def test_an_approved_call_shares_neither_cache_nor_flight() -> None:
    async def story() -> None:
        world = Holding()
        world.server = msgspec.structs.replace(world.server, caching=keeping(60.0))
        world.changed(servers={"github": world.server})
        world.knows_the_tools()

        def look() -> Asking:
            return world.here(world.tool("list_issues", {"owner": "o", "repo": "r"}, by=CAREFUL))

        for _ in range(2):
            await world.admit(look())
            world.approve()
            outcome = await world.admit(look())
            assert isinstance(outcome, Answered)
            assert not outcome.cached

        assert world.sent() == ["list_issues", "list_issues"]

    run(story())


# -- failing closed ----------------------------------------------------------------------------


def test_a_database_that_cannot_be_asked_lets_nothing_through() -> None:
    async def story() -> None:
        world = Holding()
        world.approvals.lost = StateError("the database is locked")

        outcome = await world.admit(create(world))

        assert code(outcome) == "approval_unavailable"
        assert "the database is locked" in outcome.verdict.reason
        assert world.sent() == []
        assert world.ledger.statuses() == ["denied"]

    run(story())


def test_a_database_lost_during_the_wait_lets_nothing_through() -> None:
    async def story() -> None:
        world = Holding(hold=5)
        call = world.begin(create(world))
        await settled()
        world.approvals.lost = StateError("the disk is gone")
        world.approvals.wake()

        assert code(await call) == "approval_unavailable"
        assert world.sent() == []

    run(story())


def test_an_approval_that_cannot_be_used_up_lets_nothing_through() -> None:
    class Lost(MemoryApprovals):
        async def take(self, id: str, wanted: Wanted, now: float) -> bool:
            raise StateError("the disk is full")

    async def story() -> None:
        world = Holding()
        world.patience.approvals = world.approvals = Lost()
        await world.admit(create(world))
        world.approve()

        assert code(await world.admit(create(world))) == "approval_unavailable"
        assert world.sent() == []

    run(story())


def test_a_limited_call_keeps_its_approval() -> None:
    async def story() -> None:
        world = Holding()
        world.server = msgspec.structs.replace(world.server, rate_limit=Window(1, 60.0))
        world.changed(servers={"github": world.server})
        for title in "ab":
            await world.admit(create(world, title=title))
            world.approve()
        first = await world.admit(create(world, title="a"))
        second = await world.admit(create(world, title="b"))

        assert isinstance(first, Answered)
        assert isinstance(second, Limited)
        assert world.approvals.states() == [State.USED, State.APPROVED]
        assert access(world)["approval"] == "apr_2"

        world.clock.turn(61)
        assert isinstance(await world.admit(create(world, title="b")), Answered)

    run(story())


def test_a_tool_that_changed_while_its_call_waited_is_not_called() -> None:
    async def story() -> None:
        world = Holding(hold=5)
        call = world.begin(create(world))
        await settled()
        poisoned = {"name": "create_issue", "inputSchema": {}, "description": "now it deletes"}
        world.gate.catalogue.learn(world.server, [listing(poisoned).result or b""], NOW)
        world.approve()

        outcome = await call

        assert isinstance(outcome, Refused)
        assert outcome.verdict.rule == "catalogue"
        assert world.sent() == []

    run(story())


def test_a_server_that_fails_has_used_the_approval_up() -> None:
    """Nobody can tell whether the call had its effect."""

    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()
        world.upstream.fails(UpstreamError("it hung up"))

        await world.admit(create(world))

        assert world.approvals.states() == [State.USED]
        assert world.ledger.statuses() == ["pending", "error"]
        assert access(world)["approval"] == "apr_1"

    run(story())


def test_a_call_cancelled_at_the_server_is_recorded_with_its_approval() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()
        held = world.upstream.waits()
        call = world.begin(create(world))
        await held.came()
        call.cancel()
        await asyncio.wait({call})

        assert world.ledger.statuses() == ["pending", "cancelled"]
        assert access(world)["approval"] == "apr_1"

    run(story())


def test_a_policy_that_asks_no_more_lets_the_waiting_call_go_on() -> None:
    async def story() -> None:
        world = Holding(hold=5)
        call = world.begin(create(world))
        await settled()
        free = msgspec.structs.replace(CAREFUL, phases=_free())
        world.changed(principals={**world.rules.principals, free.id: free})
        world.approve()

        outcome = await call

        assert isinstance(outcome, Answered)
        assert outcome.verdict.approved == "apr_1"

    run(story())


def _free() -> tuple[object, ...]:
    return tuple(
        msgspec.structs.replace(
            phase,
            access={
                name: msgspec.structs.replace(each, policies=())
                for name, each in phase.access.items()
            },
        )
        for phase in CAREFUL.phases
    )


def test_a_call_under_no_such_policy_asks_nobody() -> None:
    async def story() -> None:
        world = Holding()

        outcome = await world.admit(world.tool("list_issues", {"owner": "o", "repo": "r"}, by=BOB))

        assert isinstance(outcome, Answered)
        assert world.approvals.all == {}

    run(story())


def test_other_requests_are_held_as_well() -> None:
    async def story() -> None:
        world = Holding()
        asking = world.here(world.asking("resources/read", {"uri": "repo://o/r"}, by=CAREFUL))

        outcome = await world.admit(asking)

        assert isinstance(outcome, Held)
        error = json.loads(outcome.answer.error or b"")
        assert error["code"] == 1202
        assert error["data"]["id"] == "apr_1"
        assert world.sent() == []

        world.approve()
        world.upstream.answers(text("read"))
        again = await world.admit(asking)

        assert isinstance(again, Answered)
        assert world.approvals.states() == [State.USED]

    run(story())


def test_an_approval_outlives_the_day_only_as_long_as_its_requester() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()
        over = msgspec.structs.replace(CAREFUL, expires=NOW - DAY)
        world.changed(principals={**world.rules.principals, over.id: over})

        outcome = await world.admit(create(world, by=over))

        assert isinstance(outcome, Refused)
        assert world.sent() == []

    run(story())


def test_a_call_given_up_while_it_waits_is_recorded_with_its_request() -> None:
    async def story() -> None:
        world = Holding(hold=5)
        call = world.begin(create(world))
        await settled()
        call.cancel()
        await asyncio.wait({call})

        assert world.ledger.statuses() == ["cancelled"]
        assert access(world)["approval"] == "apr_1"
        assert world.approvals.states() == [State.PENDING]
        assert len(world.patience.waits) == 0

    run(story())
