"""Many real servers at one address, some of them dead, some of them silent."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.stories.caller import Caller, events, legacy, modern, routing
from tests.stories.town import Town, server
from tests.stories.upstream import Talk, Upstream, within

ALIVE, SILENT = 15, 3
CALLS = 200
DEADLINE = 5.0
"""Seconds for which a list waits for the silent."""
PATIENCE = 30.0
"""Seconds for which a call to them waits."""
DOWN = [f"s{number}" for number in range(15, 20)]


Towns = tuple[Town, Town]


@pytest.fixture(scope="module")
def towns(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Towns]:
    """Twenty servers: fifteen answer, three take connections and say nothing, two are not there.

    And a second gateway, which has the fifteen only.
    """
    with (
        Upstream() as new,
        Upstream(modern=False) as old,
        socket.create_server(("127.0.0.1", 0)) as mute,
    ):
        silent = f"http://127.0.0.1:{mute.getsockname()[1]}/mcp"
        urls = [(new if number % 2 else old).url for number in range(ALIVE)]
        urls += [silent] * SILENT + [f"http://127.0.0.1:{free_port()}/mcp" for _ in range(2)]
        servers = {f"s{n}": server(url, timeout=f"{PATIENCE:.0f}s") for n, url in enumerate(urls)}
        well = {name: each for name, each in servers.items() if name not in DOWN}
        config: dict[str, Any] = {
            "aggregate": {"deadline": f"{DEADLINE:.0f}s"},
            "virtual_servers": {
                "notes": {
                    "tools": ["s0__*_note", "s1__get_note", "s15__x"],
                    "rename": {"s0__get_note": "note"},
                    "fixed": {"s0__create_note": {"folder": "inbox"}},
                },
            },
        }
        healthy = {"aggregate": config["aggregate"], "mcpServers": well}
        with (
            Town({**config, "mcpServers": servers}, tmp_path_factory.mktemp("many")) as running,
            Town(healthy, tmp_path_factory.mktemp("well")) as other,
        ):
            yield running, other


@pytest.fixture(scope="module")
def many(towns: Towns) -> Town:
    return towns[0]


def caller(town: Town, who: str = "ALICE", where: str = "") -> Caller:
    found = town.caller(who, where or "x")
    found.target = f"/mcp/{where}" if where else "/mcp"
    return found


def listed(someone: Caller) -> dict[str, Any]:
    headers = routing("tools/list")
    result: dict[str, Any] = someone.ask(modern("tools/list"), headers).message["result"]
    return result


def call(someone: Caller, name: str, **arguments: Any) -> Any:
    body = modern("tools/call", {"name": name, "arguments": arguments})
    return someone.ask(body, routing("tools/call", name)).message


def test_the_living_are_listed_and_the_others_named(many: Town) -> None:
    with caller(many) as alice:
        began = time.monotonic()
        first = listed(alice)
        middle = time.monotonic()
        second = listed(alice)
        ended = time.monotonic()

    names = [each["name"] for each in first["tools"]]
    assert list(dict.fromkeys(name.partition("__")[0] for name in names)) == [
        f"s{number}" for number in range(ALIVE)
    ]
    assert [*first["_meta"]["torhaus/unavailable"]] == DOWN
    assert [each["name"] for each in second["tools"]] == names
    assert middle - began < 3 * DEADLINE
    assert ended - middle < DEADLINE


def test_a_call_waits_for_no_server_but_its_own(many: Town) -> None:
    with caller(many) as alice, caller(many) as other:
        body = modern("tools/call", {"name": "s15__x", "arguments": {}})
        other.send(other.request(body, routing("tools/call", "s15__x")))
        began = time.monotonic()
        answer = call(alice, "s3__get_note", id=5)

        assert "get_note" in answer["result"]["content"][0]["text"]
        assert time.monotonic() - began < PATIENCE / 3


def test_calls_are_as_quick_as_if_the_others_were_not_there(
    towns: Towns, record_property: Callable[[str, object], None]
) -> None:
    """While a list waits for the silent, and calls to them hang."""
    with ExitStack() as stack:
        one, other = (stack.enter_context(caller(town)) for town in towns)
        for name in DOWN:
            waits = stack.enter_context(caller(towns[0]))
            body = modern("tools/call", {"name": f"{name}__x", "arguments": {}})
            waits.send(waits.request(body, routing("tools/call", f"{name}__x")))
        lists = stack.enter_context(caller(towns[0], "CAROL"))
        lists.send(lists.request(modern("tools/list"), routing("tools/list")))
        times: dict[Caller, list[float]] = {one: [], other: []}
        for number in range(CALLS):
            for someone, taken in times.items():
                began = time.perf_counter()
                call(someone, "s3__get_note", id=100 + number)
                taken.append(time.perf_counter() - began)
        answer = lists.answer().message["result"]

    sorts = [sorted(taken) for taken in times.values()]
    worst, usual = (taken[int(CALLS * 0.99)] for taken in sorts)
    record_property("p99 with five dead of twenty, ms", worst * 1000)
    record_property("p99 without them, ms", usual * 1000)
    assert len({each["name"].partition("__")[0] for each in answer["tools"]}) == ALIVE
    # Of the slowest a busy machine says more than the gateway: none has waited for the silent.
    beside, alone = (taken[CALLS // 2] for taken in sorts)
    assert beside < 2 * alone + 0.02
    assert sorts[0][-1] < DEADLINE


def test_initialize_waits_for_nobody(many: Town) -> None:
    with caller(many, "CAROL") as carol:
        began = time.monotonic()
        carol.begin()

        assert time.monotonic() - began < DEADLINE


def test_a_call_is_recorded_as_one_to_its_server(many: Town) -> None:
    before = many.count()

    with caller(many) as alice:
        call(alice, "s3__get_note", id=6)
    record = next(each for each in many.new(before) if each["operation"] == "get_note")

    assert (record["mcp_server"], record["parameters"]) == ("s3", {"id": 6})


def test_rights_are_those_at_the_servers_own_address(many: Town) -> None:
    with caller(many, "BOB") as bob, caller(many, "MALLORY") as mallory:
        refused = call(bob, "s3__delete_note", id=1)
        allowed = call(bob, "s3__get_note", id=1)
        stranger = call(mallory, "s3__get_note", id=1)

        assert refused["result"]["_meta"]["torhaus/verdict"]["verdict"] == "deny"
        assert "get_note" in allowed["result"]["content"][0]["text"]
        assert stranger["result"]["_meta"]["torhaus/verdict"]["verdict"] == "deny"
        assert listed(mallory)["tools"] == []


def test_one_session_reaches_servers_of_both_eras(many: Town) -> None:
    with caller(many) as alice:
        alice.begin()
        first = alice.ask(legacy("tools/call", {"name": "s0__get_note", "arguments": {}})).text
        second = alice.ask(legacy("tools/call", {"name": "s1__get_note", "arguments": {}})).text

        assert (first.split()[0], second.split()[0]) == ("get_note", "get_note")
        assert alice.ask(legacy("tools/list")).message["result"]["tools"]


def test_a_virtual_server_shows_and_lets_pass_what_is_in_it(many: Town) -> None:
    with caller(many, where="notes") as alice, caller(many, "BOB", where="notes") as bob:
        names = [each["name"] for each in listed(alice)["tools"]]

        assert names == ["note", "s0__create_note", "s0__delete_note", "s1__get_note"]
        assert "get_note" in call(alice, "note")["result"]["content"][0]["text"]
        made = call(alice, "s0__create_note", text="x")["result"]["content"][0]["text"]
        assert '"folder": "inbox"' in made
        for name in (
            "s0__get_note",
            "s2__get_note",
            "s1__create_note",
            "get_note",
            "s0__list_notes",
        ):
            assert call(alice, name)["error"]["code"] == -32602, name
        for key in ("folder", "FOLDER", "Folder"):
            assert call(alice, "s0__create_note", **{key: "y"})["error"]["code"] == -32602
        refused = call(bob, "s0__create_note", text="x")
        assert refused["result"]["_meta"]["torhaus/verdict"]["verdict"] == "deny"


def test_an_argument_given_twice_overrides_nothing(many: Town) -> None:
    body = modern("tools/call", {"name": "s0__create_note", "arguments": {"text": "x"}})
    text = json.dumps(body)
    twice = text.replace('"text": "x"', '"text": "x", "folder": "a", "folder": "b"')

    with caller(many, where="notes") as alice:
        answer = alice.ask(twice.encode(), routing("tools/call", "s0__create_note"))

        assert answer.status == 400


def test_a_session_goes_on_after_a_restart(home: Path) -> None:
    with Upstream(modern=False) as old:
        config = {"mcpServers": {"old": server(old.url)}}
        with Town(config, home) as town:
            with caller(town) as alice:
                alice.begin()
                assert alice.tool("old__get_note").text.startswith("get_note")
                session = alice.session
            town.stop()
            town.start()
            with caller(town) as alice, caller(town, "CAROL") as carol:
                alice.session = carol.session = session
                assert alice.tool("old__get_note").text.startswith("get_note")
                assert carol.tool("old__get_note").status == 404
        opened = [each for each in old.seen if each.message.get("method") == "initialize"]

    assert len({each.headers.get("apikey") for each in opened}) == 1
    assert len(opened) >= 2


@pytest.fixture
def pair(home: Path) -> Iterator[tuple[Town, Upstream]]:
    """Two servers that know sessions only; the second is told what to do."""
    with Upstream(modern=False) as calm, Upstream(modern=False, tricks={"held": held}) as old:
        config = {"mcpServers": {"calm": server(calm.url), "old": server(old.url)}}
        with Town(config, home) as running:
            yield running, old


def test_a_change_is_heard_on_the_one_stream(pair: tuple[Town, Upstream]) -> None:
    town, old = pair
    with caller(town) as alice, caller(town) as ear:
        alice.begin()
        ear.session = alice.session
        before = alice.ask(legacy("tools/list")).message["result"]["tools"]
        ear.listen()
        stream = ear.chunks()
        assert next(stream) == b":\n\n"
        assert within(60, lambda: len(old.listeners) > 0)

        old.tricks["brand_new"] = lambda talk: None
        told = json.dumps({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"})
        for listener in old.listeners:
            listener.event(told)
        heard = events(next(stream))
        after = alice.ask(legacy("tools/list")).message["result"]["tools"]

    assert [each["method"] for each in heard] == ["notifications/tools/list_changed"]
    assert {each["name"] for each in after} - {each["name"] for each in before} == {
        "old__brand_new"
    }


def test_whoever_hangs_up_or_cancels_is_heard_by_the_server(pair: tuple[Town, Upstream]) -> None:
    town, old = pair
    with caller(town) as alice, caller(town) as other:
        alice.begin()
        other.session = alice.session
        before = len(old.seen)
        body = legacy("tools/call", {"name": "old__held", "arguments": {}}, 31)
        alice.send(alice.request(body))
        assert within(60, lambda: bool(old.calls("held")))

        cancel = {"method": "notifications/cancelled", "params": {"requestId": 31}}
        assert other.ask({"jsonrpc": "2.0", **cancel}).status == 202

        assert within(60, lambda: any(_cancels(each.message) for each in old.seen[before:]))


def held(talk: Talk) -> None:
    """A tool that answers when its caller has gone, or after a while."""
    talk.gone(5)
    talk.answer(talk.said("late"))


def _cancels(message: dict[str, Any]) -> bool:
    return bool(message.get("method") == "notifications/cancelled")
