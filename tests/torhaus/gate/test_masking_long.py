"""Long texts are masked while others go on, or not at all."""

import asyncio
import json
from collections.abc import Awaitable

import pytest

from tests.torhaus.cast import Window, limited, run
from tests.torhaus.gate.veiled import BLIND, RULE, world
from tests.torhaus.redact.samples import GITHUB
from tests.torhaus.scripted import note, text
from torhaus.gate.masking import LONG, MOST, VeiledSink
from torhaus.mcp.message import CallerError
from torhaus.model.outcome import Answer, Outcome
from torhaus.model.servers import Era

SLOW = "a@b.de " * (MOST // 7)
"""It takes a second, or a tenth of one on the best of days."""


async def turns_of_others(work: Awaitable[Outcome]) -> int:
    """How often somebody else who has nothing to wait for had his turn meanwhile."""
    done, turns = asyncio.ensure_future(work), 0
    while not done.done():
        await asyncio.sleep(0)
        turns += 1
    await done
    return turns


def test_others_go_on_while_long_arguments_are_masked():
    async def story() -> None:
        there = world()
        few = await turns_of_others(there.admit(there.tool("list_issues", {"q": "x"}, by=BLIND)))

        many = await turns_of_others(
            there.admit(there.tool("list_issues", {"q": SLOW, "key": GITHUB}, by=BLIND))
        )

        assert many > 10 * few + 10
        sent = json.loads(there.upstream.calls()[-1].params)
        assert sent["arguments"] == {"q": SLOW, "key": "[redacted:github-token]"}

    run(story())


def test_others_go_on_while_a_long_answer_is_masked():
    async def story() -> None:
        there = world()
        there.upstream.answers(text("x"))
        few = await turns_of_others(there.admit(there.tool("list_issues", by=BLIND)))
        there.upstream.answers(text(SLOW))

        many = await turns_of_others(there.admit(there.tool("list_issues", by=BLIND)))

        assert many > 10 * few + 10

    run(story())


@pytest.mark.parametrize(("tool", "end"), [("list_issues", "success"), ("create_issue", "denied")])
def test_long_arguments_are_recorded_by_their_size(tool: str, end: str):
    async def story() -> None:
        there = world()
        long = {"q": f"{GITHUB} " * (LONG // 40)}

        await there.admit(there.tool(tool, long, by=BLIND))

        (record,) = there.ledger.noted
        told = json.loads(bytes(record.parameters))
        assert record.result.status == end
        assert (told["_truncated"], sorted(told)) == (True, ["_truncated", "bytes", "sha256"])
        assert told["bytes"] > LONG

    run(story())


def test_long_arguments_that_cannot_be_checked_are_refused():
    async def story() -> None:
        there = world()
        deep = "x"
        for _ in range(14):
            deep = json.dumps({"a": deep})

        with pytest.raises(CallerError, match="cannot be checked"):
            await there.admit(there.tool("list_issues", {"q": [deep, GITHUB]}, by=BLIND))

        assert there.upstream.calls() == []

    run(story())


def test_nobody_waits_for_a_message_or_a_resumed_answer_that_is_too_long():
    there, front = world(), Window()
    veil = there.gate.masking.veil(RULE, "github")
    sink = VeiledSink(
        there.relay(there.tool("list_issues", by=limited(BLIND)), front), lambda: veil
    )
    long = f"{GITHUB} " * (MOST // 40 + 1)

    sink.notice(note("notifications/message", {"data": long}))
    sink.notice(note("notifications/message", {"data": GITHUB}))
    answer = veil.answer("tools/call", Era.LEGACY, Answer(result=text(long).result))

    (told,) = front.messages()
    assert told["params"]["data"] == "[redacted:github-token]"
    assert b"withheld" in (answer.result or b"")
    assert b"longer than 1 MiB" in (answer.result or b"")
