"""A call through `call_tool` is the tool's own call: for the cache, for budgets, for rights."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.caller import Caller, modern, routing
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Upstream() as notes:
        config: dict[str, Any] = {
            "aggregate": {"discovery": "search"},
            "mcpServers": {
                "kept": server(notes.url, cache={"ttl": "5m"}),
                "few": server(notes.url, rateLimit={"requests": 2, "window": "1h"}),
            },
        }
        with Town(config, tmp_path_factory.mktemp("searching")) as running:
            yield running


def caller(town: Town, who: str = "ALICE") -> Caller:
    found = town.caller(who, "x")
    found.target = "/mcp"
    return found


def call(someone: Caller, tool: str, **arguments: Any) -> dict[str, Any]:
    body = modern("tools/call", {"name": tool, "arguments": arguments})
    result: dict[str, Any] = someone.ask(body, routing("tools/call", tool)).message["result"]
    return result


def through(someone: Caller, name: str, **arguments: Any) -> dict[str, Any]:
    return call(someone, "call_tool", name=name, arguments=arguments)


def test_both_ways_share_one_kept_answer(town: Town) -> None:
    with caller(town) as alice:
        first = through(alice, "kept__get_note", id=1)
        second = call(alice, "kept__get_note", id=1)
        third = through(alice, "kept__get_note", id=1)

    hits = [each["_meta"]["torhaus/cache"]["hit"] for each in (first, second, third)]
    assert hits == [False, True, True]
    assert first["content"] == second["content"] == third["content"]


def test_both_ways_draw_on_one_budget(town: Town) -> None:
    with caller(town) as alice:
        call(alice, "few__get_note", id=2)
        through(alice, "few__get_note", id=3)
        ended = through(alice, "few__get_note", id=4)

    assert ended["isError"] is True
    assert "torhaus/limit" in ended["_meta"]


def test_searching_costs_no_budget_and_rights_are_the_tools_own(town: Town) -> None:
    with caller(town, "BOB") as bob:
        for _ in range(3):
            assert "isError" not in call(bob, "search_tools", query="note", server="few")
        refused = through(bob, "few__delete_note", id=1)
        allowed = through(bob, "few__get_note", id=5)

    assert refused["_meta"]["torhaus/verdict"]["verdict"] == "deny"
    assert "isError" not in allowed
