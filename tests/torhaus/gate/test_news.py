"""What the gateway itself has to say on listening streams."""

import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, World, github, limited, run
from tests.torhaus.witnesses import Window
from torhaus.gate.hinted import CHANGES
from torhaus.gate.news import TOOLS, News, Renewed, Subscribed, Unasked
from torhaus.mcp.message import encode, notification_text
from torhaus.model.people import Principal
from torhaus.model.rules import Rules

SUB = "io.modelcontextprotocol/subscriptionId"


def acknowledged(**granted: Any) -> bytes:
    params = {"_meta": {SUB: "s"}, "notifications": granted}
    return notification_text("notifications/subscriptions/acknowledged", encode(params))


class Turn:
    """Rules that can be swapped."""

    def __init__(self) -> None:
        self.world = World(github())
        self.rules: Rules = self.world.rules
        self.news = News(rules=lambda: self.rules, clock=self.world.clock)

    def swap(self, **changes: Any) -> None:
        self.rules = msgspec.structs.replace(self.rules, **changes)


def known(who: Principal) -> Renewed:
    return lambda rules: rules.principals.get(who.id, who)


def test_whose_rights_change_is_told_once_and_nobody_else():
    turn = Turn()
    heard: list[str] = []
    other: list[str] = []
    server = turn.world.server
    with turn.news.told(server, known(ALICE), heard.append):
        turn.news.look()
        assert heard == []

        fewer = limited(ALICE, allows=())
        turn.swap(principals={**turn.rules.principals, ALICE.id: fewer})
        with turn.news.told(server, known(fewer), other.append):
            turn.news.look()
            turn.news.look()

    assert heard == [*CHANGES]
    assert other == []
    turn.swap(principals={})
    turn.news.look()
    assert heard == [*CHANGES]


def test_tools_that_are_pinned_otherwise_are_told_to_those_on_that_server():
    turn = Turn()
    heard: list[str] = []
    servers: list[str] = []
    turn.news.pinned.append(servers.append)
    with turn.news.told(turn.world.server, known(ALICE), heard.append):
        turn.news.repinned("another")
        turn.news.repinned(turn.world.server.name)

    assert heard == [TOOLS]
    assert servers == ["another", turn.world.server.name]


def test_the_catalogue_says_when_a_tool_is_not_as_it_was():
    async def story() -> None:
        world = World()
        told: list[str] = []
        world.talk.news.pinned.append(told.append)

        for text in ("one", "one", "another"):
            tools = [{"name": "list_issues", "description": text}]
            page = json.dumps({"tools": tools}).encode()
            world.gate.catalogue.learn(world.server, [page], world.clock())

        assert told == [world.server.name]

    run(story())


def test_a_sessions_stream_is_told_once_it_is_open():
    window = Window()
    front = Unasked(window)
    front.tell(TOOLS)
    assert window.messages() == []

    front.opened()
    front.tell(TOOLS)

    assert [each["method"] for each in window.messages()] == [TOOLS]


def test_a_subscription_hears_what_was_granted_after_it_was_granted():
    window = Window()
    front = Subscribed(window, b'"s"')
    front.opened()
    front.tell(TOOLS)
    assert window.messages() == []

    front.event(acknowledged(toolsListChanged=True, promptsListChanged=False))
    front.tell(TOOLS)
    front.tell("notifications/prompts/list_changed")

    ack, changed = window.messages()
    assert ack["method"].endswith("acknowledged")
    assert changed == {"jsonrpc": "2.0", "method": TOOLS, "params": {"_meta": {SUB: "s"}}}


@pytest.mark.parametrize(
    "data",
    [
        b'{"method":"notifications/subscriptions/acknowledged"}',
        b'{"method":"notifications/subscriptions/acknowledged","params":{"notifications":7}}',
        b"notifications/subscriptions/acknowledged",
    ],
)
def test_an_acknowledgement_that_grants_nothing_grants_nothing(data: bytes):
    window = Window()
    front = Subscribed(window, b"1")

    front.event(data)
    front.tell(TOOLS)

    assert len(window.events) == 1
