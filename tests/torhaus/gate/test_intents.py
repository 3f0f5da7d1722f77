import asyncio

import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, run, settled
from tests.torhaus.gate.fetched import (
    NEW,
    allowing,
    ask,
    world,
    write,
)
from tests.torhaus.gate.phased import phases, strict
from tests.torhaus.scripted import text
from torhaus.gate.gate import PARKED_FOR
from torhaus.model.limits import LimitRule, Per
from torhaus.model.ports import Detached, LedgerError, UpstreamError
from torhaus.model.servers import Window

# -- which calls leave one -------------------------------------------------------------------------


def test_a_call_that_may_change_something_leaves_an_intent_and_an_outcome() -> None:
    async def story() -> None:
        made = world()

        await write(made)

        assert phases(made) == [
            ("intent", "create_issue", "started"),
            ("outcome", "create_issue", "success"),
        ]
        intent, outcome = made.ledger.intents[0], made.ledger.noted[0]
        assert intent.request_id == outcome.request_id
        for name in ("user", "mcp_server", "operation", "parameters", "access_control"):
            assert getattr(intent, name) == getattr(outcome, name)

    run(story())


def test_a_call_that_only_reads_leaves_one_record() -> None:
    async def story() -> None:
        made = world()

        await ask(made)

        assert phases(made) == [("", "list_issues", "success")]

    run(story())


def test_when_strict_a_call_that_reads_leaves_both_but_not_when_it_is_answered_from_here() -> None:
    async def story() -> None:
        made = strict(world())

        await ask(made)
        await ask(made, by=BOB)

        assert phases(made) == [
            ("intent", "list_issues", "started"),
            ("outcome", "list_issues", "success"),
            ("", "list_issues", "success"),
        ]

    run(story())


@pytest.mark.parametrize("method", ["tools/list", "prompts/list", "resources/list"])
def test_what_the_protocol_itself_asks_changes_nothing(method: str) -> None:
    async def story() -> None:
        made = world()

        await made.admit(made.asking(method, by=DANA))

        assert phases(made) == [("", method, "success")]

    run(story())


def test_a_request_of_an_extension_may_change_anything() -> None:
    async def story() -> None:
        made = world()

        await made.admit(made.asking("acme/change", {"id": "7"}, by=DANA))

        assert phases(made) == [
            ("intent", "acme/change", "started"),
            ("outcome", "acme/change", "success"),
        ]

    run(story())


def test_a_refused_call_leaves_no_intent() -> None:
    async def story() -> None:
        made = strict(world())

        await write(made, by=ALICE)

        assert phases(made) == [("", "create_issue", "denied")]

    run(story())


def test_a_call_over_its_limit_leaves_no_intent() -> None:
    async def story() -> None:
        made = strict(world())
        allowing(made, LimitRule(name="few", per=Per.USER, budget=Window(1, 3600.0)))

        await write(made)
        await write(made)

        assert [each[2] for each in phases(made)] == ["started", "success", "limited"]

    run(story())


# -- before it goes --------------------------------------------------------------------------------


def test_nothing_goes_to_the_server_before_the_intent_is_durable() -> None:
    async def story() -> None:
        made = world()
        made.ledger.hold()
        task = made.begin(made.tool("create_issue", NEW, by=DANA))
        await settled()

        assert made.upstream.calls() == []
        assert len(made.ledger.intents) == 1

        made.ledger.release()
        await task
        assert len(made.upstream.calls()) == 1

    run(story())


def test_without_an_intent_nothing_goes_to_the_server() -> None:
    async def story() -> None:
        made = world()
        made.ledger.hold()
        task = made.begin(made.tool("create_issue", NEW, by=DANA))
        await settled()
        made.ledger.lose()

        with pytest.raises(LedgerError):
            await task

        assert made.upstream.calls() == []
        assert made.gate.intents.open == {}

    run(story())


def test_a_caller_who_leaves_before_the_intent_is_durable_has_sent_nothing() -> None:
    async def story() -> None:
        made = world()
        made.ledger.hold()
        task = made.begin(made.tool("create_issue", NEW, by=DANA))
        await settled()
        task.cancel()
        made.ledger.release()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert made.upstream.calls() == []
        assert phases(made) == [
            ("intent", "create_issue", "started"),
            ("outcome", "create_issue", "cancelled"),
        ]

    run(story())


def test_an_approval_is_not_used_up_while_no_record_can_be_left() -> None:
    async def story() -> None:
        made = world()
        made.ledger.well = False

        with pytest.raises(LedgerError):
            made.gate.intents.possible()

        made.ledger.well = True
        made.gate.intents.possible()

    run(story())


# -- how it ends -----------------------------------------------------------------------------------


def test_a_server_that_fails_is_an_outcome() -> None:
    async def story() -> None:
        made = world()
        made.upstream.fails(UpstreamError("it is down"))

        await write(made)

        assert phases(made)[1:] == [("outcome", "create_issue", "error")]

    run(story())


def test_a_caller_who_hangs_up_while_the_server_works_leaves_an_outcome() -> None:
    async def story() -> None:
        made = world()
        held = made.upstream.waits()
        task = made.begin(made.tool("create_issue", NEW, by=DANA))
        await held.came()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert phases(made)[1:] == [("outcome", "create_issue", "cancelled")]

    run(story())


def test_a_parked_call_is_without_an_outcome_until_it_is_resumed_or_given_up() -> None:
    async def story() -> None:
        made = world()
        made.upstream.fails(Detached("it ended the stream"))
        session = made.session(DANA)
        asking = made.tool("create_issue", NEW, by=DANA, session=session)
        with pytest.raises(Detached):
            await made.admit(asking)
        assert [each[0] for each in phases(made)] == ["intent"]
        assert len(made.gate.intents.open) == 1

        _, kept = made.gate.unpark(session, asking.request.id, text("late"))
        assert kept is not None
        await kept

        assert phases(made)[1:] == [("outcome", "create_issue", "success")]
        assert made.gate.intents.open == {}

    run(story())


def test_a_parked_call_that_nobody_resumes_has_an_outcome_in_the_end() -> None:
    async def story() -> None:
        made = world()
        made.upstream.fails(Detached("it ended the stream"))
        session = made.session(DANA)
        with pytest.raises(Detached):
            await made.admit(made.tool("create_issue", NEW, by=DANA, session=session))

        made.clock.turn(PARKED_FOR)
        made.gate.expire(made.clock())

        assert phases(made)[1:] == [("outcome", "create_issue", "cancelled")]

    run(story())


def test_an_outcome_that_cannot_be_written_is_written_when_that_is_possible_again() -> None:
    async def story() -> None:
        made = world()
        held = made.upstream.waits()
        task = made.begin(made.tool("create_issue", NEW, by=DANA))
        await held.came()
        made.ledger.refuses = True
        held.answer(text("done"))
        with pytest.raises(LedgerError):
            await task
        assert made.gate.intents.since(made.clock()) == 0.0
        made.ledger.well = False
        assert made.gate.intents.pay() == 0

        made.ledger.refuses, made.ledger.well = False, True
        assert made.gate.intents.pay() == 1

        assert phases(made)[1:] == [("outcome", "create_issue", "success")]
        assert made.gate.intents.pay() == 0
        assert made.gate.intents.since(made.clock()) == made.clock()

    run(story())


def test_an_outcome_that_was_lost_on_its_way_is_written_later() -> None:
    async def story() -> None:
        made = world()
        held = made.upstream.waits()
        task = made.begin(made.tool("create_issue", NEW, by=DANA))
        await held.came()
        made.ledger.hold()
        held.answer(text("done"))
        await settled()
        made.ledger.lose()
        with pytest.raises(LedgerError):
            await task
        await settled()

        assert made.gate.intents.pay() == 1
        assert [each.phase for each in made.ledger.durable] == ["outcome"]

    run(story())


def test_it_is_known_since_when_calls_are_open() -> None:
    async def story() -> None:
        made = world()
        held = made.upstream.waits()
        began = made.clock()
        first = made.begin(made.tool("create_issue", NEW, by=DANA))
        await held.came()
        made.clock.turn(5)
        second = made.begin(made.tool("create_issue", NEW, by=DANA))
        await settled()
        made.clock.turn(5)

        assert made.gate.intents.since(made.clock()) == began
        held.answer(text("one"))
        await first
        assert made.gate.intents.since(made.clock()) == began + 5
        held.answer(text("two"))
        await second
        assert made.gate.intents.since(made.clock()) == began + 10

    run(story())
