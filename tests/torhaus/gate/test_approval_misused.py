"""Nine ways to misuse an approval, and what ends one, through the whole gate."""

import msgspec
import pytest

from tests.torhaus.cast import BOB, NOW, run, settled
from tests.torhaus.gate.holding import (
    CAREFUL,
    WRITING,
    Holding,
    access,
    asking_first,
    code,
    create,
)
from torhaus.model.access import Policy
from torhaus.model.approval import State
from torhaus.model.outcome import Held, Refused


def test_a_used_approval_serves_no_second_call() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()
        await world.admit(create(world))

        again = await world.admit(create(world))

        assert isinstance(again, Held)
        assert again.approval == "apr_2"
        assert world.sent() == ["create_issue"]

    run(story())


@pytest.mark.parametrize(
    "changes",
    [
        {"title": "u"},
        {"title": "t "},
        {"title": ["t"]},
        {"title": None},
        {"extra": 1},
        {"repo": "R"},
    ],
)
def test_an_approval_is_for_exactly_these_arguments(changes: dict[str, object]) -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()

        outcome = await world.admit(create(world, **changes))

        assert isinstance(outcome, Held)
        assert outcome.approval != "apr_1"
        assert world.sent() == []

    run(story())


def test_an_approval_is_for_one_user() -> None:
    async def story() -> None:
        world = Holding()
        eve = msgspec.structs.replace(CAREFUL, id="u-eve", email="eve@example.org")
        world.changed(principals={**world.rules.principals, eve.id: eve})
        await world.admit(create(world))
        world.approve()

        outcome = await world.admit(create(world, by=eve))

        assert isinstance(outcome, Held)
        assert outcome.approval != "apr_1"
        assert world.sent() == []

    run(story())


def test_nobody_s_own_approval_counts() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve(by=CAREFUL)

        outcome = await world.admit(create(world))

        assert code(outcome) == "approver_not_entitled"
        assert world.sent() == []
        assert world.approvals.states() == [State.CANCELLED]

    run(story())


def test_an_expired_approval_is_none() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()
        world.clock.turn(900)

        outcome = await world.admit(create(world))

        assert isinstance(outcome, Held)
        assert outcome.approval == "apr_2"
        assert world.sent() == []

    run(story())


def test_an_approval_falls_with_the_right_of_whoever_gave_it() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()
        world.without(BOB)

        outcome = await world.admit(create(world))

        assert code(outcome) == "approver_not_entitled"
        assert world.sent() == []
        assert access(world)["approval"] == "apr_1"

        again = await world.admit(create(world))

        assert isinstance(again, Held)
        assert again.approval == "apr_2"

    run(story())


def test_an_approver_whose_access_has_expired_counts_no_more() -> None:
    async def story() -> None:
        world = Holding()
        bob = msgspec.structs.replace(BOB, expires=NOW + 60)
        world.changed(principals={**world.rules.principals, bob.id: bob})
        await world.admit(create(world))
        world.approve()
        world.clock.turn(60)

        assert code(await world.admit(create(world))) == "approver_not_entitled"
        assert world.sent() == []

    run(story())


def test_an_approval_is_for_one_version_of_the_policy() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()
        world.changed(policy_version="p2")

        outcome = await world.admit(create(world))

        assert isinstance(outcome, Held)
        assert outcome.approval == "apr_2"
        assert world.sent() == []

    run(story())


def test_rules_that_change_while_the_call_waits_end_it() -> None:
    async def story() -> None:
        world = Holding(hold=5)
        call = world.begin(create(world))
        await settled()
        world.changed(policy_version="p2")
        world.approve()

        assert code(await call) == "policy_changed"
        assert world.sent() == []

    run(story())


def test_a_caller_who_loses_his_rights_while_he_waits_is_refused() -> None:
    async def story() -> None:
        world = Holding(hold=5)
        call = world.begin(create(world))
        await settled()
        poor = msgspec.structs.replace(CAREFUL, phases=())
        world.changed(principals={**world.rules.principals, poor.id: poor})
        world.approve()

        outcome = await call

        assert isinstance(outcome, Refused)
        assert outcome.approval == "apr_1"
        assert world.sent() == []

    run(story())


def test_a_caller_who_is_gone_from_the_rules_waits_no_longer() -> None:
    async def story() -> None:
        world = Holding(hold=60)
        call = world.begin(create(world))
        await settled()
        world.without(CAREFUL)

        assert code(await call) == "no_access"
        assert world.sent() == []

    run(story())


def test_a_policy_that_asks_more_people_now_is_not_met_by_fewer() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.approve()
        more = Policy(
            name="night",
            effect=WRITING.effect,
            actions=WRITING.actions,
            approvers=("security",),
        )
        watched = asking_first(CAREFUL, more)
        world.changed(principals={**world.rules.principals, watched.id: watched})

        assert code(await world.admit(create(world))) == "policy_changed"
        assert world.sent() == []

    run(story())


def test_a_cancelled_request_is_asked_for_anew() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        await world.approvals.cancel("apr_1", NOW)

        outcome = await world.admit(create(world))

        assert isinstance(outcome, Held)
        assert outcome.approval == "apr_2"
        assert world.sent() == []

    run(story())


@pytest.mark.parametrize("state", [State.CANCELLED, State.EXPIRED, State.USED])
def test_a_request_that_ends_while_the_call_waits_ends_the_call(state: State) -> None:
    async def story() -> None:
        world = Holding(hold=5)
        call = world.begin(create(world))
        await settled()
        world.approvals._move("apr_1", state)

        assert code(await call) == f"approval_{state.value}"
        assert world.sent() == []
        assert world.ledger.statuses() == ["denied"]

    run(story())


def test_a_denial_reaches_who_waits_and_who_calls_again() -> None:
    async def story() -> None:
        world = Holding(hold=5)
        call = world.begin(create(world))
        await settled()
        world.deny(comment="not on\n a Friday")

        waited, again = await call, await world.admit(create(world))

        for outcome in (waited, again):
            assert isinstance(outcome, Refused)
            assert outcome.verdict.code == "approval_denied"
            assert "bob@example.org: not on a Friday" in outcome.verdict.reason
            assert outcome.approval == "apr_1"
        assert world.sent() == []
        assert world.approvals.states() == [State.DENIED]

    run(story())


def test_a_denial_stands_no_longer_than_the_request_would_have() -> None:
    async def story() -> None:
        world = Holding()
        await world.admit(create(world))
        world.deny()
        world.clock.turn(900)

        outcome = await world.admit(create(world))

        assert isinstance(outcome, Held)
        assert outcome.approval == "apr_2"

    run(story())
