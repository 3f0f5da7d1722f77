import asyncio
import json

import pytest

from tests.torhaus.cast import ALICE, BOB, CAROL, DAY, MALLORY, World, github, keeping, run, settled
from tests.torhaus.scripted import TOOLS, listing, text
from torhaus.mcp.message import CallerError
from torhaus.model.outcome import Answer, Answered, Failed, Limited, Refused
from torhaus.model.ports import Ask, Detached, LedgerError, Sink, UpstreamError
from torhaus.model.record import RecordAccess, RecordUser
from torhaus.model.servers import Window

HOURLY = Window(2, 3600.0)


# -- one record, whatever happens -----------------------------------------------------------------


def test_an_allowed_call_leaves_one_record():
    async def story() -> None:
        world = World()

        outcome = await world.admit(world.tool("list_issues", {"repo": "a/b"}))

        assert isinstance(outcome, Answered)
        (record,) = world.ledger.durable
        assert record.user == RecordUser("alice@example.org", "developer", "192.0.2.7")
        assert (record.mcp_server, record.operation) == ("github", "list_issues")
        assert json.loads(bytes(record.parameters)) == {"repo": "a/b"}
        assert record.result.status == "success"
        assert record.access_control == RecordAccess(
            "developer: github.read", True, "developer: github.read allows read"
        )
        assert world.meter.ends == [("list_issues", "success")]

    run(story())


def test_a_refused_call_leaves_one_record_and_never_reaches_the_server():
    async def story() -> None:
        world = World().knows_the_tools()

        outcome = await world.admit(world.tool("create_issue", {"repo": "a/b"}))

        assert isinstance(outcome, Refused)
        assert world.upstream.asked == []
        assert world.ledger.statuses() == ["denied"]
        assert not world.ledger.noted[0].access_control.allowed
        assert world.meter.ends == [("create_issue", "denied")]

    run(story())


@pytest.mark.parametrize("method", ["tools/call", "tools/list", "initialize", "server/discover"])
def test_nothing_reaches_the_server_for_a_caller_without_any_permission_on_it(method: str):
    async def story() -> None:
        world = World()

        outcome = await world.admit(world.asking(method, {"name": "list_issues"}, by=MALLORY))

        assert isinstance(outcome, Refused)
        assert world.upstream.asked == []
        assert world.ledger.statuses() == ["denied"]

    run(story())


def test_nothing_reaches_the_server_for_a_caller_whose_access_has_ended():
    async def story() -> None:
        world = World()
        world.clock.turn(DAY)

        outcome = await world.admit(world.tool("list_issues", by=CAROL))

        assert isinstance(outcome, Refused)
        assert outcome.verdict.code == "access_expired"
        assert world.upstream.asked == []
        assert world.ledger.statuses() == ["denied"]

    run(story())


def test_access_ends_to_the_second():
    async def story() -> None:
        world = World().knows_the_tools()
        world.clock.turn(DAY - 1)

        before = await world.admit(world.tool("list_issues", by=CAROL))
        world.clock.turn(1)
        after = await world.admit(world.tool("list_issues", by=CAROL))

        assert isinstance(before, Answered)
        assert isinstance(after, Refused)

    run(story())


def test_nothing_is_asked_of_the_server_for_a_call_that_no_annotation_could_allow():
    async def story() -> None:
        world = World()

        await world.admit(world.tool("create_issue"))

        assert world.upstream.asked == []

    run(story())


def test_a_server_that_fails_leaves_one_record_with_status_error():
    async def story() -> None:
        world = World()
        world.upstream.fails(UpstreamError("it answered HTTP 500"))

        outcome = await world.admit(world.tool("list_issues"))

        assert isinstance(outcome, Failed)
        assert outcome.reason == "github cannot answer: it answered HTTP 500"
        assert world.ledger.statuses() == ["error"]

    run(story())


@pytest.mark.parametrize(
    "answer", [text("broken", isError=True), Answer(error=b'{"code":-32602,"message":"no"}')]
)
def test_an_error_of_the_server_is_passed_on_and_recorded_as_one(answer: Answer):
    async def story() -> None:
        world = World()
        world.upstream.answers(answer)

        outcome = await world.admit(world.tool("list_issues"))

        assert isinstance(outcome, Answered)
        assert outcome.answer == answer
        assert world.ledger.statuses() == ["error"]

    run(story())


def test_a_cancelled_call_leaves_one_record_and_is_cancelled_at_the_server():
    async def story() -> None:
        world = World().knows_the_tools()
        held = world.upstream.waits()
        task = world.begin(world.tool("list_issues"))
        await held.came()

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert world.ledger.statuses() == ["cancelled"]
        assert world.upstream.cancelled == 1

    run(story())


def test_a_call_cancelled_while_the_list_of_tools_is_fetched_leaves_one_record():
    async def story() -> None:
        world = World()
        never: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        world.upstream.script = lambda ask, sink: never
        task = world.begin(world.tool("list_issues"))
        await settled()
        assert [ask.method for ask in world.upstream.asked] == ["tools/list"]

        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert world.ledger.statuses() == ["cancelled"]

    run(story())


@pytest.mark.parametrize("turns", range(12))
def test_a_call_cancelled_at_any_moment_leaves_exactly_one_record(turns: int):
    async def story() -> None:
        world = World(github(caching=keeping(60.0), rate_limit=HOURLY))
        world.ledger.hold()

        async def slow(ask: Ask, sink: Sink) -> Answer:
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            return listing(*TOOLS) if ask.method == "tools/list" else text("done")

        world.upstream.script = slow
        task = world.begin(world.tool("list_issues"))
        for _ in range(turns + 1):
            await asyncio.sleep(0)

        task.cancel()
        await asyncio.wait([task])
        world.ledger.release()

        assert len(world.ledger.durable) == 1

    run(story())


def test_a_refusal_cancelled_before_it_is_durable_leaves_one_record():
    async def story() -> None:
        world = World().knows_the_tools()
        world.ledger.hold()
        task = world.begin(world.tool("create_issue"))
        await settled()

        task.cancel()
        await asyncio.wait([task])
        world.ledger.release()

        assert [record.result.status for record in world.ledger.durable] == ["denied"]

    run(story())


def test_a_bug_of_a_link_leaves_one_record():
    async def story() -> None:
        world = World().knows_the_tools()
        world.upstream.fails(ZeroDivisionError("a bug"))

        with pytest.raises(ZeroDivisionError):
            await world.admit(world.tool("list_issues"))

        assert world.ledger.statuses() == ["cancelled"]

    run(story())


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"name": 7},
        {"name": ""},
        {"name": "list_issues", "arguments": []},
        {"name": "list_issues", "arguments": None},
        {"name": "list_issues", "arguments": {"repo": "a", "Repo": "b"}},
        {"name": "list_issues", "requestState": "forged"},
    ],
)
def test_a_malformed_call_is_refused_before_anything_reaches_the_server(params: dict[str, object]):
    async def story() -> None:
        world = World()

        with pytest.raises(CallerError) as caught:
            await world.admit(world.asking("tools/call", params))

        assert (caught.value.code, caught.value.id) == (-32602, b"1")
        assert world.upstream.asked == []
        assert world.ledger.noted == []  # the edge records it by `reject`

    run(story())


def test_a_message_that_never_became_a_call_is_recorded_too():
    world = World()

    world.gate.reject(ALICE, "192.0.2.7", "github", "the body is not valid JSON")

    (record,) = world.ledger.durable
    assert (record.operation, record.result.status) == ("invalid", "error")
    assert record.access_control.reason == "the body is not valid JSON"


def test_a_modern_call_whose_stream_ends_early_is_recorded():
    async def story() -> None:
        world = World().knows_the_tools()
        world.upstream.fails(Detached("it ended the stream before it answered"))

        with pytest.raises(Detached):
            await world.admit(world.tool("list_issues"))

        assert world.ledger.statuses() == ["cancelled"]

    run(story())


# -- the record comes first -----------------------------------------------------------------------


@pytest.mark.parametrize("tool", ["list_issues", "create_issue"])
def test_no_answer_and_no_refusal_leaves_before_its_record_is_durable(tool: str):
    async def story() -> None:
        world = World().knows_the_tools()
        world.ledger.hold()
        task = world.begin(world.tool(tool))

        await settled()
        assert world.ledger.waiting() == 1
        assert not task.done()
        world.ledger.release()
        await task

        assert len(world.ledger.durable) == 1

    run(story())


def test_a_broken_ledger_stops_a_call_before_it_reaches_the_server():
    async def story() -> None:
        world = World()
        world.ledger.well = False

        with pytest.raises(LedgerError):
            await world.admit(world.tool("list_issues"))

        assert world.upstream.asked == []

    run(story())


def test_a_ledger_that_fails_meanwhile_keeps_the_answer_back():
    async def story() -> None:
        world = World()
        world.ledger.hold()
        lost = world.begin(world.tool("list_issues"))
        await settled()
        world.ledger.lose()
        with pytest.raises(LedgerError):
            await lost

        world.ledger.refuses = True
        with pytest.raises(LedgerError):
            await world.admit(world.tool("list_issues"))

    run(story())


# -- limits ---------------------------------------------------------------------------------------


def test_a_call_beyond_the_limit_is_told_when_to_come_back_and_reaches_nobody():
    async def story() -> None:
        world = World(github(rate_limit=HOURLY)).knows_the_tools()
        await world.admit(world.tool("list_issues"))
        world.clock.turn(600)
        await world.admit(world.tool("list_issues"))

        outcome = await world.admit(world.tool("list_issues"))

        assert isinstance(outcome, Limited)
        assert (outcome.limit, outcome.retry_after) == ("github: 2 calls per hour", 3000.0)
        assert len(world.upstream.asked) == 2
        assert world.ledger.statuses() == ["success", "success", "limited"]

    run(story())


def test_a_limited_call_takes_nothing_from_the_budget():
    async def story() -> None:
        world = World(github(rate_limit=HOURLY)).knows_the_tools()
        for _ in range(5):
            await world.admit(world.tool("list_issues"))
            world.clock.turn(1)

        world.clock.turn(3595)  # exactly when the first two have left the window
        outcomes = [await world.admit(world.tool("list_issues")) for _ in range(3)]

        assert [type(each) for each in outcomes] == [Answered, Limited, Limited]
        world.clock.turn(1)
        assert isinstance(await world.admit(world.tool("list_issues")), Answered)

    run(story())


def test_a_refused_call_costs_no_budget_and_neither_do_others_calls():
    async def story() -> None:
        world = World(github(rate_limit=HOURLY)).knows_the_tools()
        for _ in range(5):
            await world.admit(world.tool("create_issue"))
        for _ in range(2):
            await world.admit(world.tool("list_issues", by=BOB))

        assert isinstance(await world.admit(world.tool("list_issues")), Answered)
        assert isinstance(await world.admit(world.tool("list_issues", by=BOB)), Limited)

    run(story())
