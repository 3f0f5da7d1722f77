import asyncio
import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, MALLORY, World, github, run
from tests.torhaus.scripted import TOOLS, always, listing, text
from torhaus.gate.catalogue import AGAIN, FRESH, MEANWHILE
from torhaus.gate.learning import MAX_NAME
from torhaus.model.outcome import Answer, Answered, Failed, Outcome, Refused
from torhaus.model.people import Principal
from torhaus.model.ports import Ask, Sink, UpstreamError
from torhaus.policy.permission import parse

EVIL = {**TOOLS[0], "description": "evil"}


def denied(outcome: Outcome) -> str:
    assert isinstance(outcome, Refused)
    return outcome.verdict.code


def lists(world: World) -> int:
    return [ask.method for ask in world.upstream.asked].count("tools/list")


def offers(world: World, *tools: dict[str, Any]) -> None:
    async def script(ask: Ask, sink: Sink) -> Answer:
        return listing(*tools) if ask.method == "tools/list" else text("done")

    world.upstream.script = script


def strict() -> World:
    """A world whose server answers for no name that it does not list."""
    return World(github(drift_unlisted="refuse"))


def test_the_first_call_looks_at_the_list_and_later_ones_do_not():
    async def story() -> None:
        world = strict()

        for _ in range(3):
            assert isinstance(await world.admit(world.tool("list_issues")), Answered)

        assert lists(world) == 1

    run(story())


def test_a_list_that_has_become_old_is_fetched_by_one_caller_for_all():
    async def story() -> None:
        world = strict().knows_the_tools()
        world.clock.turn(FRESH)

        async def later(ask: Ask, sink: Sink) -> Answer:
            await asyncio.sleep(0)
            return listing(*TOOLS) if ask.method == "tools/list" else text("done")

        world.upstream.script = later

        outcomes = await asyncio.gather(
            *(world.admit(world.tool("list_issues", id=n)) for n in range(20))
        )

        assert all(isinstance(each, Answered) for each in outcomes)
        assert lists(world) == 1

    run(story())


def test_a_caller_that_leaves_while_fetching_an_old_list_leaves_it_old():
    async def story() -> None:
        world = strict().knows_the_tools()
        world.clock.turn(FRESH)
        held = asyncio.Event()

        async def slow(ask: Ask, sink: Sink) -> Answer:
            if ask.method == "tools/list":
                await held.wait()
            return text("done")

        world.upstream.script = slow
        task = world.begin(world.tool("list_issues"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        offers(world, EVIL, TOOLS[1])
        world.clock.turn(MEANWHILE)

        assert denied(await world.admit(world.tool("list_issues"))) == "tool_changed"

    run(story())


def test_a_name_outside_the_list_is_looked_for_once_in_a_while():
    async def story() -> None:
        world = strict().knows_the_tools()

        for _ in range(3):
            outcome = await world.admit(world.tool("list_nothing", by=DANA))
            assert denied(outcome) == "unknown_tool"
        assert (lists(world), world.upstream.calls()) == (1, [])
        world.clock.turn(AGAIN)
        await world.admit(world.tool("list_nothing", by=DANA))

        assert lists(world) == 2
        assert len(world.ledger.noted) == 4

    run(story())


def test_a_tool_of_one_session_alone_is_found_by_that_session():
    async def story() -> None:
        world = strict().knows_the_tools()
        session = world.session(by=DANA)
        special = {"name": "get_special", "inputSchema": {"type": "object"}}

        async def script(ask: Ask, sink: Sink) -> Answer:
            if ask.method != "tools/list":
                return text("done")
            return listing(*TOOLS, special) if ask.session is session else listing(*TOOLS)

        world.upstream.script = script

        for _ in range(2):
            outcome = await world.admit(world.tool("get_special", by=DANA, session=session))
            assert isinstance(outcome, Answered)
            await world.admit(world.asking("tools/list", by=ALICE))
            assert world.gate.catalogue.pins.of("github")["get_special"].gone is not None

        assert denied(await world.admit(world.tool("get_special"))) == "unknown_tool"

    run(story())


def test_a_refused_caller_causes_no_look():
    async def story() -> None:
        world = strict()

        outcome = await world.admit(world.tool("delete_repository", by=BOB))

        assert denied(outcome) == "no_grant"
        assert world.upstream.asked == []

    run(story())


@pytest.mark.parametrize(
    ("by", "expected"), [(BOB, "unknown_tool"), (MALLORY, None), (DANA, "unknown_tool")]
)
def test_who_may_use_the_server_hears_that_a_tool_is_unknown(by: Principal, expected: str | None):
    async def story() -> None:
        world = strict().knows_the_tools()

        code = denied(await world.admit(world.tool("delete_nothing", by=by)))

        assert code == expected if expected else code != "unknown_tool"
        assert world.upstream.calls() == []

    run(story())


def test_a_changed_tool_is_refused_after_the_list_was_fetched_anew():
    async def story() -> None:
        world = strict().knows_the_tools()
        offers(world, EVIL, TOOLS[1])
        assert isinstance(await world.admit(world.tool("list_issues")), Answered)
        world.clock.turn(FRESH)

        assert denied(await world.admit(world.tool("list_issues"))) == "tool_changed"
        assert denied(await world.admit(world.tool("list_issues"))) == "tool_changed"

        assert len(world.upstream.calls()) == 1

    run(story())


def test_a_list_that_fails_later_leaves_the_pins_in_force():
    async def story() -> None:
        world = strict().knows_the_tools()
        world.clock.turn(FRESH)

        async def unlisted(ask: Ask, sink: Sink) -> Answer:
            if ask.method == "tools/list":
                raise UpstreamError("no list")
            return text("done")

        world.upstream.script = unlisted

        assert isinstance(await world.admit(world.tool("list_issues")), Answered)
        assert denied(await world.admit(world.tool("get_nothing", by=DANA))) == "unknown_tool"

    run(story())


@pytest.mark.parametrize("result", [b"[]", b'{"tools":7}', b'{"tools":[{"name":7}]}', b"\xff"])
def test_a_list_that_cannot_be_read_lets_nothing_through(result: bytes):
    async def story() -> None:
        world = strict()
        world.upstream.script = always(Answer(result=result))

        outcome = await world.admit(world.tool("list_issues"))

        assert isinstance(outcome, Failed)
        assert "list" in outcome.reason
        assert world.upstream.calls() == []

    run(story())


def test_a_long_name_is_said_back_in_short():
    async def story() -> None:
        world = strict().knows_the_tools()

        outcome = await world.admit(world.tool("x" * 9000, by=DANA))

        assert isinstance(outcome, Refused)
        assert len(outcome.verdict.reason) == len("Unknown tool: ") + MAX_NAME + 1

    run(story())


def test_annotations_of_the_list_make_the_decision_stricter():
    async def story() -> None:
        world = strict()
        offers(world, {**TOOLS[0], "annotations": {"readOnlyHint": False}})

        assert denied(await world.admit(world.tool("list_issues", by=ALICE))) == "no_grant"
        assert isinstance(await world.admit(world.tool("list_issues", by=DANA)), Answered)

    run(story())


def test_a_caller_that_leaves_while_the_list_is_fetched_leaves_one_record():
    async def story() -> None:
        world = strict()
        gate = asyncio.Event()

        async def slow(ask: Ask, sink: Sink) -> Answer:
            await gate.wait()
            return listing(*TOOLS)

        world.upstream.script = slow
        task = world.begin(world.tool("list_issues"))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

        assert world.ledger.statuses() == ["cancelled"]

    run(story())


def test_a_list_that_a_caller_asks_for_is_compared_too():
    async def story() -> None:
        world = strict().knows_the_tools()
        offers(world, EVIL, TOOLS[1])

        outcome = await world.admit(world.asking("tools/list", by=DANA))

        assert isinstance(outcome, Answered)
        shown = json.loads(outcome.answer.result or b"")["tools"]
        assert [each["name"] for each in shown] == ["create_issue"]
        assert denied(await world.admit(world.tool("list_issues"))) == "tool_changed"

    run(story())


def test_lists_whose_server_warns_only_show_what_changed():
    async def story() -> None:
        world = strict()
        world.server = msgspec.structs.replace(world.server, drift_changed="warn")
        world.knows_the_tools()
        offers(world, EVIL, TOOLS[1])

        outcome = await world.admit(world.asking("tools/list", by=DANA))

        assert isinstance(outcome, Answered)
        assert len(json.loads(outcome.answer.result or b"")["tools"]) == 2
        assert isinstance(await world.admit(world.tool("list_issues")), Answered)

    run(story())


@pytest.mark.parametrize("name", ["frobnicate", "tools/x", "a-b.c"])
def test_an_unlisted_name_is_the_servers_business_to_whom_everything_is_open(name: str):
    async def story() -> None:
        world = World().knows_the_tools()

        assert isinstance(await world.admit(world.tool(name, by=DANA)), Answered)
        assert denied(await world.admit(world.tool(name, by=BOB))) == "unknown_tool"

        assert [ask.name for ask in world.upstream.calls()] == [name]

    run(story())


@pytest.mark.parametrize(
    "name",
    ["LIST_ISSUES", "listIssues", "list-issues", "list_issues ", "li\u017ft_issues", "x" * 200],
)
def test_a_spelling_of_a_pinned_tool_is_nobodys_business(name: str):
    async def story() -> None:
        world = World().knows_the_tools()

        assert denied(await world.admit(world.tool(name, by=DANA))) == "unknown_tool"
        assert world.upstream.calls() == []

    run(story())


def test_one_restriction_closes_what_is_not_listed():
    async def story() -> None:
        world = World().knows_the_tools()
        whole = DANA.phases[0].access["*"]
        deny = parse("*:delete", "no_delete")
        held = msgspec.structs.replace(whole, denies=(deny,))
        phase = msgspec.structs.replace(DANA.phases[0], access={"*": held})
        dana = msgspec.structs.replace(DANA, phases=(phase,))

        assert denied(await world.admit(world.tool("frobnicate", by=dana))) is not None
        assert world.upstream.calls() == []

    run(story())


@pytest.mark.parametrize("drift", ["refuse", "auto"])
def test_a_name_that_no_list_has_is_taken_for_invented(drift: str):
    bare = "5f0c1d7b9a2e48069d1c77aa3b"

    async def story() -> None:
        world = World(github(drift_unlisted=drift))
        for who, name in ((DANA, bare), (MALLORY, bare), (DANA, "list_issues")):
            await world.admit(world.tool(name, by=who))

        named = {each.operation for each in world.ledger.noted}
        assert named == {"[redacted:unknown]", "list_issues"}

    run(story())
