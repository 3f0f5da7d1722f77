"""What many servers say of themselves."""

import asyncio
import json
from collections.abc import Coroutine
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import DANA, request, run, settled
from tests.torhaus.gate.aggregate.crowd import Crowd
from tests.torhaus.scripted import dumps
from torhaus.gate.aggregate.hellos import FRESH, GRACE, STALE, Hello, capabilities, instructions
from torhaus.model.outcome import Answer
from torhaus.model.servers import Era, Sharing, StdioAddress
from torhaus.model.views import EVERYTHING, View

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c"}}


async def initialize(crowd: Crowd, **params: Any) -> Any:
    guest = crowd.guest(DANA, era=Era.LEGACY)
    asked = request("initialize", {**HELLO, **params}, era=Era.LEGACY)
    return json.loads(await crowd.many.hello(guest, asked))


@pytest.mark.parametrize(
    ("asked", "answered"),
    [("2024-11-05", "2024-11-05"), ("2025-06-18", "2025-06-18"), ("1.0", "2025-11-25")],
)
def test_the_version_is_negotiated_here(asked: str, answered: str):
    async def story() -> None:
        assert (await initialize(Crowd(), protocolVersion=asked))["protocolVersion"] == answered

    run(story())


def test_a_server_is_asked_once_for_a_while_and_its_record_is_its_own():
    async def story() -> None:
        crowd = Crowd()

        await initialize(crowd)
        await initialize(crowd)

        assert crowd.members["docs"].methods() == ["server/discover"]
        noted = [(each.mcp_server, each.operation) for each in crowd.ledger.noted]
        assert noted.count(("docs", "server/discover")) == 1
        assert noted.count(("*", "initialize")) == 2

    run(story())


def test_a_server_that_says_nothing_in_time_may_offer_anything_later():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=0.05)

        async def hangs(ask: Any, sink: Any) -> Answer:
            await asyncio.get_running_loop().create_future()
            raise AssertionError

        crowd.members["docs"].script = hangs
        hello = await initialize(crowd)

        assert set(hello["capabilities"]) == {
            "tools",
            "prompts",
            "resources",
            "completions",
            "logging",
        }
        await initialize(crowd)
        assert len(crowd.members["docs"].asked) == 1

    run(story())


async def forever(ask: Any, sink: Any) -> Answer:
    await asyncio.get_running_loop().create_future()
    raise AssertionError


async def at_once(asking: Coroutine[Any, Any, Any]) -> Any:
    """What comes of it, without the loop having waited for a clock."""
    task = asyncio.ensure_future(asking)
    await settled(500)
    assert task.done()
    return task.result()


def test_nobody_waits_for_a_server_that_hangs():
    async def story() -> None:
        crowd = Crowd("docs", "tea").tells(deadline=30.0)
        crowd.members["docs"].script = forever
        loop = asyncio.get_running_loop()

        began = loop.time()
        first = await initialize(crowd)
        waited = loop.time() - began
        again = await at_once(initialize(crowd))
        other = msgspec.structs.replace(DANA, id="erin")
        asked = request("initialize", HELLO, era=Era.LEGACY)
        await at_once(crowd.many.hello(crowd.guest(other, era=Era.LEGACY), asked))

        assert GRACE <= waited < 20
        assert "[tea]" in first["instructions"]
        assert "[tea]" in again["instructions"]
        assert len(crowd.members["docs"].asked) == 2  # once for each caller
        await crowd.many.close()

    run(story())


def test_a_server_that_answers_late_is_heard_the_next_time():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=30.0)
        answers, script = asyncio.Event(), crowd.members["docs"].script

        async def late(ask: Any, sink: Any) -> Answer:
            await answers.wait()
            return await script(ask, sink)

        crowd.members["docs"].script = late
        first = await initialize(crowd)
        answers.set()
        await settled()

        assert "[docs]" not in first["instructions"]
        assert "[docs]" in (await initialize(crowd))["instructions"]

    run(story())


def test_what_a_server_said_before_is_said_while_it_is_asked_again():
    async def story() -> None:
        crowd = Crowd("docs").tells(deadline=0.05)
        await initialize(crowd)
        crowd.members["docs"].script = forever
        crowd.clock.turn(FRESH + 1)

        assert "[docs]" in (await initialize(crowd))["instructions"]
        await asyncio.sleep(0.1)
        crowd.clock.turn(STALE / 2)
        assert "[docs]" in (await initialize(crowd))["instructions"]
        await settled()
        assert len(crowd.members["docs"].asked) == 3

    run(story())


@pytest.mark.parametrize("answer", [Answer(result=b"5"), Answer(result=b"{}"), Answer(error=b"{}")])
def test_nonsense_says_nothing(answer: Answer):
    async def story() -> None:
        crowd = Crowd("docs")
        crowd.members["docs"].more["server/discover"] = answer

        assert "resources" in (await initialize(crowd))["capabilities"]

    run(story())


@pytest.mark.parametrize(
    ("sharing", "asked"), [(Sharing.PRINCIPAL, ["initialize"]), (Sharing.SESSION, [])]
)
def test_no_program_is_started_just_to_hear_what_it_says(sharing: Sharing, asked: list[str]):
    async def story() -> None:
        crowd = Crowd("docs")
        stdio = msgspec.structs.replace(
            crowd.servers["docs"], address=StdioAddress(command="x"), sharing=sharing
        )
        crowd.servers["docs"] = stdio
        crowd.members["docs"].more["initialize"] = Answer(result=dumps(HELLO))

        await initialize(crowd)

        assert crowd.members["docs"].methods() == asked

    run(story())


def test_only_what_is_relayed_is_offered():
    offers = frozenset(("tools", "resources"))

    assert capabilities(offers, Era.MODERN) == {
        "tools": {"listChanged": True},
        "resources": {"listChanged": True, "subscribe": True},
    }


def test_instructions_have_a_preamble_sections_and_an_end():
    hellos = {f"s{n}": Hello(frozenset(), "x" * 4000) for n in range(10)}

    text = instructions(EVERYTHING, {"docs": Hello(frozenset(), "Be kind."), **hellos})

    assert "\n\n[docs]\nBe kind." in text
    assert text.startswith("Several servers")
    assert len(text) <= 16_384
    own = View(name="v", instructions="Mine.", description="What")
    assert instructions(own, hellos) == "Mine."
    assert instructions(View(name="v", description="What"), {}).startswith("What\n\nSeveral")


def test_what_a_server_told_one_caller_is_not_told_to_another():
    async def story() -> None:
        crowd = Crowd("docs")
        await initialize(crowd)

        crowd.members["docs"].name = "as somebody else"
        other = msgspec.structs.replace(DANA, id="erin")
        asked = request("initialize", HELLO, era=Era.LEGACY)
        hello = json.loads(await crowd.many.hello(crowd.guest(other, era=Era.LEGACY), asked))

        assert "ask as somebody else" in hello["instructions"]
        assert "ask docs" not in hello["instructions"]

    run(story())
