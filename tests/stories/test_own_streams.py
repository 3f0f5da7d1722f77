"""A client with a session loses its connection in the middle of a call to a stateless server."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.caller import Caller, events, legacy
from tests.stories.ending import Desk
from tests.stories.town import PEOPLE, Town, server
from tests.stories.upstream import Talk, Upstream, within

GO_ON = threading.Event()


def halfway(talk: Talk) -> None:
    """Says something, waits until the test lets it go on, and answers."""
    talk.stream()
    talk.event(talk.note("one"))
    GO_ON.wait(20)
    talk.event(talk.note("two"))
    talk.event(talk.said("three"))
    talk.close()


@pytest.fixture(scope="module")
def modern_town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Upstream(tricks={"get_halfway": halfway}) as upstream:
        config: dict[str, Any] = {
            "mcpServers": {"new": server(upstream.url, era="modern", timeout="30s")},
            "roles": {**PEOPLE["roles"], "writer": {"permissions": ["*:write"]}},
        }
        with Town(config, tmp_path_factory.mktemp("own")) as running:
            yield running


def at(town: Town, where: str, who: str = "ALICE", session: str | None = None) -> Caller:
    found = town.caller(who, "new")
    found.target, found.session = where, session
    return found


def ids(chunks: Iterator[bytes], wanted: int) -> list[str]:
    """The ids of the next so many events."""
    found: list[str] = []
    while len(found) < wanted:
        lines = next(chunks).decode().splitlines()
        found += [line[4:] for line in lines if line.startswith("id: ")]
    return found


def resume(town: Town, where: str, session: str | None, last: str, who: str = "ALICE") -> Any:
    with at(town, where, who, session) as caller:
        return caller.ask(b"", {"accept": "text/event-stream", "last-event-id": last}, "GET")


@pytest.mark.parametrize(("where", "tool"), [("/mcp/new", ""), ("/mcp", "new__")])
@pytest.mark.proves("streams that can be resumed", client="legacy", server="modern")
def test_the_rest_of_the_stream_is_fetched_on_another_connection(
    where: str, tool: str, modern_town: Town
) -> None:
    GO_ON.clear()
    with at(modern_town, where) as alice:
        alice.begin()
        session, before = alice.session, modern_town.count()
        alice.send(alice.request(*alice.call(f"{tool}get_halfway", id="call")))
        status, headers = alice.head()
        primed, first = ids(alice.chunks(), 2)
    assert (status, headers["content-type"]) == (200, "text/event-stream")

    GO_ON.set()
    rest = resume(modern_town, where, session, first)
    again = resume(modern_town, where, session, primed)

    said = events(rest.body)
    assert said[0]["params"]["data"] == "two"
    assert said[1]["id"] == "call"
    assert said[1]["result"]["content"][0]["text"] == "three"
    if where == "/mcp/new":
        assert [each.get("method") for each in events(again.body)] == [
            "notifications/message",
            "notifications/message",
            None,
        ]
    assert modern_town.outcome(before) == [("get_halfway", "success")]


def test_the_rest_is_for_the_same_session_of_the_same_person(modern_town: Town) -> None:
    GO_ON.set()
    with at(modern_town, "/mcp/new") as alice:
        alice.begin()
        answer = alice.ask(*alice.call("get_halfway"))
        session = alice.session
        alice.begin()
        another = alice.session
    first = next(line[4:].decode() for line in answer.body.splitlines() if line.startswith(b"id: "))
    flipped = first[:20] + ("A" if first[20] != "A" else "B") + first[21:]

    refused = {
        "bob": resume(modern_town, "/mcp/new", session, first, "BOB"),
        "another session": resume(modern_town, "/mcp/new", another, first),
        "a flipped bit": resume(modern_town, "/mcp/new", session, flipped),
        "another address": resume(modern_town, "/mcp", session, first),
    }

    assert {why: each.status for why, each in refused.items()} == {
        "bob": 404,
        "another session": 400,
        "a flipped bit": 400,
        "another address": 404,
    }
    assert all(b"three" not in each.body for each in refused.values())
    assert b"three" in resume(modern_town, "/mcp/new", session, first).body


def test_a_stream_is_gone_with_its_session(modern_town: Town) -> None:
    GO_ON.set()
    with at(modern_town, "/mcp/new") as alice:
        alice.begin()
        answer = alice.ask(*alice.call("get_halfway"))
        last = next(x[4:].decode() for x in answer.body.splitlines() if x.startswith(b"id: "))
        assert alice.ask(b"", {}, "DELETE").status == 200

        gone = alice.ask(b"", {"accept": "text/event-stream", "last-event-id": last}, "GET")

    assert gone.status == 404
    assert json.loads(gone.body)["error"]["code"] == -32600


def test_requests_that_ask_for_json_get_no_stream(modern_town: Town) -> None:
    GO_ON.set()
    with at(modern_town, "/mcp/new") as alice:
        alice.begin()
        body = legacy("tools/call", {"name": "get_note", "arguments": {}}, 5)

        answer = alice.ask(body, {"accept": "application/json"})

    assert answer.headers["content-type"] == "application/json"
    assert "get_note" in answer.text


@pytest.mark.parametrize(("where", "tool"), [("/mcp/new", ""), ("/mcp", "new__")])
def test_the_rest_is_kept_from_who_may_not_use_the_tool_any_more(
    where: str, tool: str, modern_town: Town
) -> None:
    desk, email = Desk(modern_town), f"erin{len(tool)}@example.com"
    desk.hire(email, "reader")
    key = desk.key(email)["key"]
    GO_ON.clear()
    with Caller(modern_town.port, key) as erin, Caller(modern_town.port, key) as later:
        erin.target = later.target = where
        erin.begin()
        later.session = erin.session
        erin.send(erin.request(*erin.call(f"{tool}get_halfway", id="call")))
        assert erin.head()[0] == 200
        primed, first = ids(erin.chunks(), 2)
        erin.close()

        desk.do("PATCH", f"people/{email}", {"roles": ["writer"]})
        GO_ON.set()
        heard: list[Any] = []

        def told() -> bool:
            """Clients come back until they have their answer; at `/mcp` it is told once."""
            for last in (first, primed):
                asked = {"accept": "text/event-stream", "last-event-id": last}
                rest = later.ask(b"", asked, "GET")
                assert rest.status == 200
                heard.extend(events(rest.body))
            return bool(heard)

        assert within(60, told)
    for each in heard:
        assert each["id"] == "call"
        assert each["result"]["isError"] is True
        assert "You may not use get_halfway" in each["result"]["content"][0]["text"]
