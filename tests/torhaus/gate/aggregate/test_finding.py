import asyncio
import json
from typing import Any

from tests.torhaus.cast import run
from tests.torhaus.gate.aggregate.crowd import Crowd, tool
from torhaus.mcp.message import Request, encode


def asked(name: str, **arguments: Any) -> Request:
    params = {"name": name, "arguments": arguments}
    return Request(b"1", "tools/call", params, encode(params))


async def said(crowd: Crowd, name: str, **arguments: Any) -> Any:
    result = json.loads(await crowd.many.finding.answer(crowd.guest(), asked(name, **arguments)))
    return json.loads(result["content"][0]["text"])


def test_an_answer_is_bounded_whatever_a_server_says_of_itself() -> None:
    async def story() -> None:
        crowd = Crowd("docs")
        properties: dict[str, Any] = {"a" * 500: {}} | {f"a{n}": {} for n in range(300)}
        schema = {"type": "object", "properties": properties}
        crowd.members["docs"].tools = [
            tool("write", description="x " * 50_000, title="t" * 5000, inputSchema=schema)
        ] + [tool(f"get{n}", description="write") for n in range(300)]

        found = await said(crowd, "search_tools", query="write", limit=25)

        first = next(each for each in found["tools"] if each["name"] == "docs__write")
        assert len(found["tools"]) == 25
        assert found["total"] == 301
        assert len(json.dumps(first)) < 2500
        assert first["arguments"]["optional"][-1] == "…"

    run(story())


def test_a_definition_that_is_too_long_is_named_instead() -> None:
    async def story() -> None:
        crowd = Crowd("docs")
        schema = {"type": "object", "properties": {"a": {"enum": [*range(38_000)]}}}
        long = tool("long", inputSchema=schema)
        crowd.members["docs"].tools = [tool("a"), long]

        found = await said(crowd, "describe_tools", names=["docs__long", "docs__a"])

        assert [each["name"] for each in found["tools"]] == ["docs__a"]
        assert found["too long"] == ["docs__long"]

    run(story())


def test_a_list_is_made_ready_once_and_servers_are_not_asked_again() -> None:
    async def story() -> None:
        crowd = Crowd()

        await said(crowd, "search_tools", query="issue")
        asked_before = [*crowd.members["docs"].methods()]
        known = dict(crowd.many.finding._indexes)
        await said(crowd, "search_tools", query="issues")

        assert crowd.members["docs"].methods() == asked_before
        assert crowd.many.finding._indexes == known
        assert [each.operation for each in crowd.ledger.noted].count("search_tools") == 2

    run(story())


def test_what_fits_nothing_is_told_with_advice() -> None:
    async def story() -> None:
        found = await said(Crowd(), "search_tools", query="xyzzy")

        assert (found["tools"], found["total"]) == ([], 0)
        assert "other words" in found["hint"]

    run(story())


def test_lists_that_are_ready_to_be_searched_are_bounded_by_their_length() -> None:
    async def story() -> None:
        crowd = Crowd("docs")
        finding = crowd.many.finding
        finding.room = 10_000
        for n in range(20):
            crowd.members["docs"].tools = [tool(f"get_{n}", description="x" * 2000)]
            crowd.many.forget()
            await said(crowd, "search_tools", query="get")

        kept = [known.octets for known in finding._indexes.values()]
        assert len(kept) == 4
        assert 8000 < sum(kept) <= 10_000

    run(story())


def test_those_who_search_at_once_have_the_list_made_ready_once() -> None:
    async def story() -> None:
        crowd = Crowd("docs")
        crowd.members["docs"].tools = [
            tool(f"get_{n}", description="x y " * 100) for n in range(99)
        ]
        made = []
        finding = crowd.many.finding
        slices, run_slices = finding.slices, finding.slices.run

        async def counted(steps: Any) -> Any:
            made.append(steps.__name__)
            return await run_slices(steps)

        slices.run = counted  # type: ignore[method-assign]
        await asyncio.gather(*(said(crowd, "search_tools", query="get") for _ in range(5)))

        assert sorted(made) == ["indexing", *["searching"] * 5]

    run(story())
