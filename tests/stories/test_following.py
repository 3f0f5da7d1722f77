"""One `subscriptions/listen` of a client of 2026-07-28 hears all the servers that it may use."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ports import free_port
from tests.stories.caller import Caller, modern, routing
from tests.stories.test_announced import LISTEN, SUB, TOOLS, UPDATED, Library, Stream, quiet
from tests.stories.town import PEOPLE, SOON, Town, server
from tests.stories.upstream import within


@pytest.fixture
def one() -> Iterator[Library]:
    with Library() as running:
        yield running


@pytest.fixture
def two() -> Iterator[Library]:
    with Library() as running:
        yield running


@pytest.fixture
def own(one: Library, two: Library, home: Path) -> Iterator[Town]:
    config: dict[str, Any] = {
        "aggregate": {"deadline": "60s"},
        "mcpServers": {
            "one": server(one.url, era="legacy"),
            "two": server(two.url, era="legacy"),
            "down": server(f"http://127.0.0.1:{free_port()}/mcp", era="legacy"),
        },
        "virtual_servers": {
            "few": {"tools": ["one__get_note"], "resources": ["one+x://shown*"], "servers": []}
        },
    }
    with Town(config, home) as running:
        yield running


def at(town: Town, who: str = "ALICE", where: str = "/mcp") -> Caller:
    found = town.caller(who, "x")
    found.target = where
    return found


def listed(caller: Caller) -> list[str]:
    found = caller.ask(modern("tools/list"), routing("tools/list")).message["result"]["tools"]
    return [each["name"] for each in found]


def test_a_client_is_promised_what_the_gateway_keeps_and_its_servers_agree_to(
    own: Town, one: Library
) -> None:
    with at(own) as alice:
        hello = alice.ask(modern("server/discover"), routing("server/discover"))
        able = hello.message["result"]["capabilities"]
        assert able["tools"] == {"listChanged": True}
        assert able["resources"] == {"listChanged": True, "subscribe": True}

        began = time.monotonic()
        uris = ["one+x://a", "down+x://b", "nowhere+x://c", "x://d", 7]
        stream = Stream(alice, resourceSubscriptions=uris, toolsListChanged=True, nonsense=True)

        assert time.monotonic() - began < 40  # nobody waits for the one that is down
        assert stream.acknowledged == {
            "resourceSubscriptions": ["one+x://a"],
            "toolsListChanged": True,
        }
        one.tell("x://a")
        told = stream.next()
        assert (told["method"], told["params"]) == (
            UPDATED,
            {"uri": "one+x://a", "_meta": {SUB: "sub"}},
        )
        assert quiet(alice, stream)
    assert within(60, lambda: ("unsubscribe", "x://a") in one.wished)


def test_lists_are_told_of_only_where_the_callers_view_of_them_has_changed(
    own: Town, one: Library, two: Library
) -> None:
    with at(own) as stream, at(own) as alice, at(own, where="/mcp/few") as few:
        few_stream = Stream(few, toolsListChanged=True)
        before = listed(alice)
        with at(own, where="/mcp/few") as lister:
            assert listed(lister) == ["one__get_note"]
        heard = Stream(stream, "s", toolsListChanged=True, resourcesListChanged=True)
        assert within(60, lambda: bool(one.listeners and two.listeners))

        announce(one)
        assert quiet(stream, heard, 1.0)
        one.tricks["get_more"] = lambda talk: talk.answer(talk.said("more"))
        announce(one)

        assert heard.next() == {
            "jsonrpc": "2.0",
            "method": TOOLS,
            "params": {"_meta": {SUB: "s"}},
        }
        assert quiet(few, few_stream, 1.0)
        assert set(listed(alice)) == {*before, "one__get_more"}


def announce(library: Library) -> None:
    for each in library.listeners:
        each.event(json.dumps({"jsonrpc": "2.0", "method": TOOLS}))


def test_rights_that_change_are_heard_and_end_what_they_end(
    own: Town, one: Library, two: Library
) -> None:
    with at(own, "BOB") as bob, at(own) as alice:
        hers = Stream(alice, toolsListChanged=True)
        stream = Stream(
            bob, toolsListChanged=True, resourceSubscriptions=["one+x://a", "two+x://a"]
        )
        assert len(stream.acknowledged["resourceSubscriptions"]) == 2
        roles = {**PEOPLE["roles"], "reader": {"permissions": ["two:read"]}}
        own.write({**own.config, "roles": roles})

        assert stream.next()["method"] == TOOLS
        assert within(60, lambda: ("unsubscribe", "x://a") in one.wished)
        one.tell("x://a")
        two.tell("x://a")
        assert stream.next()["params"]["uri"] == "two+x://a"
        assert quiet(alice, hers)

        roles = {**PEOPLE["roles"], "reader": {"permissions": []}}
        users = [each for each in PEOPLE["users"] if not each["email"].startswith("bob")]
        began = time.monotonic()
        own.write({**own.config, "roles": roles, "users": users})
        while "result" not in (ended := stream.next()):
            pass
        assert ended["result"] == {"resultType": "complete", "_meta": {SUB: "sub"}}
        assert time.monotonic() - began < SOON


def test_a_virtual_server_tells_of_what_it_shows_alone(own: Town, one: Library) -> None:
    with at(own, where="/mcp/few") as alice:
        uris = ["one+x://shown", "one+x://hidden", "two+x://shown"]
        stream = Stream(alice, resourceSubscriptions=uris)

        assert stream.acknowledged == {"resourceSubscriptions": ["one+x://shown"]}
        assert one.wished == [("subscribe", "x://shown")]


def test_each_server_has_a_record_of_the_listening_and_so_has_the_gateway(
    own: Town, one: Library, two: Library
) -> None:
    before = own.count()
    with at(own) as alice:
        Stream(alice, toolsListChanged=True)
        assert within(60, lambda: bool(one.listeners and two.listeners))

    def heard() -> set[str]:
        records = own.records()[before:]
        return {each["mcp_server"] for each in records if each["operation"] == LISTEN}

    assert within(60, lambda: {"*", "one", "two"} <= heard())


def test_it_is_a_stream_or_nothing(own: Town) -> None:
    with at(own) as alice:
        body = modern(LISTEN, {"notifications": {"toolsListChanged": True}})

        answer = alice.ask(body, {**routing(LISTEN), "accept": "application/json"})

        assert answer.status == 406
