"""What a client of 2026-07-28 hears of an older server: from the server, and from the gateway."""

import json
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.stories.caller import Caller, modern, routing
from tests.stories.town import PEOPLE, SOON, Town, server
from tests.stories.upstream import JSON, Talk, Upstream, within

LISTEN = "subscriptions/listen"
SUB = "io.modelcontextprotocol/subscriptionId"
TOOLS = "notifications/tools/list_changed"
UPDATED = "notifications/resources/updated"


@dataclass
class Library(Upstream):
    """Knows sessions only, has resources, and tells of them on its stream alone."""

    modern: bool = False
    wished: list[tuple[str, str]] = field(default_factory=list)

    def _request(self, talk: Talk) -> None:
        method, params = talk.seen.message["method"], talk.seen.message.get("params", {})
        if method == "initialize":
            session = f"up-{time.monotonic_ns()}"
            self.sessions.add(session)
            able = {"tools": {}, "resources": {"subscribe": True}}
            info = {"name": "library", "version": "1"}
            said = {"protocolVersion": "2025-11-25", "capabilities": able, "serverInfo": info}
            talk.answer(talk.message(said), head=f"{JSON}mcp-session-id: {session}\r\n")
        elif method in ("resources/subscribe", "resources/unsubscribe"):
            self.wished.append((method.removeprefix("resources/"), params["uri"]))
            talk.answer(talk.message({}))
        else:
            super()._request(talk)

    def tell(self, uri: str) -> None:
        note = {"jsonrpc": "2.0", "method": UPDATED, "params": {"uri": uri}}
        for each in self.listeners:
            with suppress(OSError):  # those that have gone
                each.event(json.dumps(note))


@pytest.fixture
def library() -> Iterator[Library]:
    with Library() as running:
        yield running


@pytest.fixture
def own(library: Library, home: Path) -> Iterator[Town]:
    with Town({"mcpServers": {"scripted": server(library.url, era="legacy")}}, home) as running:
        yield running


class Stream:
    """A `subscriptions/listen` that is open."""

    def __init__(self, caller: Caller, id: object = "sub", **wanted: Any) -> None:
        body = modern(LISTEN, {"notifications": wanted}, id)
        caller.send(caller.request(body, routing(LISTEN)))
        status, headers = caller.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        self.chunks = caller.chunks()
        self.acknowledged = self.next()["params"]["notifications"]

    def next(self) -> Any:
        for chunk in self.chunks:
            lines = [line[6:] for line in chunk.split(b"\n") if line.startswith(b"data: ")]
            if lines:
                return json.loads(lines[0])
        raise AssertionError("the stream has ended")


def quiet(caller: Caller, stream: Stream, seconds: float = 0.5) -> bool:
    """Whether nothing is said for a while, comments aside."""
    while select.select([caller.socket], [], [], seconds)[0]:
        if b"data: " in next(stream.chunks):
            return False
    return True


def allowed(town: Town, *permissions: str) -> dict[str, Any]:
    """The configuration in which Bob's role may do this."""
    roles = {**PEOPLE["roles"], "reader": {"permissions": [*permissions]}}
    return {**town.config, "roles": roles}


def test_resources_are_told_of_to_whoever_asked_and_may_read_them(
    own: Town, library: Library
) -> None:
    with own.caller("ALICE") as alice, own.caller("ALICE") as again:
        stream = Stream(alice, resourceSubscriptions=["x://a"], toolsListChanged=True)
        other = Stream(again, id=7, resourceSubscriptions=["x://a", "x://b"])

        assert within(60, lambda: bool(library.listeners))
        library.tell("x://b")
        library.tell("x://a")

        assert stream.acknowledged == {"resourceSubscriptions": ["x://a"], "toolsListChanged": True}
        told = stream.next()
        assert told["method"] == UPDATED
        assert told["params"] == {"uri": "x://a", "_meta": {SUB: "sub"}}
        assert [other.next()["params"]["uri"] for _ in range(2)] == ["x://b", "x://a"]
        assert sorted(library.wished) == [("subscribe", "x://a"), ("subscribe", "x://b")]
    assert within(60, lambda: len(library.wished) == 4)
    assert {each for each, _ in library.wished[2:]} == {"unsubscribe"}


def test_the_right_to_a_resource_is_decided_like_reading_it_and_decided_anew(
    own: Town, library: Library
) -> None:
    with own.caller("MALLORY") as mallory:
        body = modern(LISTEN, {"notifications": {"resourceSubscriptions": ["x://a"]}})
        refused = mallory.ask(body, routing(LISTEN))
        assert "error" in refused.message
        assert library.wished == []

    with own.caller("BOB") as bob:
        stream = Stream(bob, resourceSubscriptions=["x://a"])
        assert stream.acknowledged == {"resourceSubscriptions": ["x://a"]}
        began = time.monotonic()
        own.write(allowed(own, "scripted:write"))

        ended = stream.next()

        assert time.monotonic() - began < SOON
        assert ended["result"] == {"resultType": "complete", "_meta": {SUB: "sub"}}
    assert within(60, lambda: ("unsubscribe", "x://a") in library.wished)


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_whose_rights_change_hears_that_his_lists_have(own: Town, era: str) -> None:
    with own.caller("BOB") as bob, own.caller("ALICE") as alice:
        hers = Stream(alice, toolsListChanged=True)
        if era == "modern":
            stream: Any = Stream(bob, toolsListChanged=True)
        else:
            bob.begin()
            bob.listen()
            stream = Stream.__new__(Stream)
            stream.chunks = bob.chunks()
        own.write(allowed(own, "scripted:read", "scripted:write"))

        changed = stream.next()

        assert changed["method"] == TOOLS
        assert changed.get("params") == ({"_meta": {SUB: "sub"}} if era == "modern" else None)
        if era == "modern":
            assert quiet(bob, stream)
        assert quiet(alice, hers)


def test_after_a_call_that_may_have_changed_lists_a_silent_servers_listeners_look_again(
    own: Town,
) -> None:
    with own.caller("ALICE") as stream, own.caller("ALICE") as alice, own.caller("CAROL") as carol:
        heard = Stream(stream, toolsListChanged=True, promptsListChanged=True)
        alice.tool("get_note")
        assert quiet(stream, heard)
        carol.tool("create_note")
        assert quiet(stream, heard)

        alice.tool("create_note")

        assert heard.next()["method"] == TOOLS
        for _ in range(3):
            alice.tool("create_note")
        assert quiet(stream, heard)
