"""Who must go is gone within a second: the next call is refused, and open streams end."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.stories.caller import HELLO, Caller
from tests.stories.town import PEOPLE, SOON, Town, server
from tests.stories.upstream import Upstream, within


@pytest.fixture
def own(upstream: Upstream, home: Path) -> Iterator[Town]:
    config = {"mcpServers": {"scripted": server(upstream.url), "other": server(upstream.url)}}
    with Town(config, home) as running:
        yield running


def without(town: Town, name: str) -> dict[str, object]:
    """The configuration without that user."""
    users = [each for each in PEOPLE["users"] if not each["email"].startswith(name)]
    return {**town.config, "users": users}


def listening(town: Town, who: str) -> Caller:
    caller = town.caller(who)
    caller.begin()
    caller.listen()
    return caller


def ends(caller: Caller) -> float:
    """Seconds until the stream has ended, with its last chunk."""
    began = time.monotonic()
    for _ in caller.chunks():
        pass
    return time.monotonic() - began


def test_a_removed_key_is_worth_nothing_within_a_second(own: Town) -> None:
    with listening(own, "ALICE") as stream, listening(own, "CAROL") as other:
        with own.caller("ALICE") as alice:
            assert alice.tool("get_note").status == 200

            own.write(without(own, "alice"))

            assert ends(stream) < SOON
            answer = alice.tool("get_note")
            assert answer.status == 401
            assert "not valid" in answer.error["message"]

        with own.caller("CAROL") as carol:
            assert carol.tool("get_note").status == 200
        other.socket.settimeout(0.3)
        with pytest.raises(TimeoutError):
            ends(other)


def test_the_stream_of_an_old_client_ends_within_a_second_too(own: Town) -> None:
    with own.caller("ALICE") as old, own.caller("ALICE") as mouth:
        old.target += "/sse"
        old.send(old.request(b"", {"accept": "text/event-stream"}, "GET"))
        assert old.head()[0] == 200
        mouth.target = next(old.chunks()).decode().partition("data: ")[2].strip()
        hello = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": HELLO}
        assert mouth.ask(hello).status == 202

        own.write(without(own, "alice"))

        assert ends(old) < SOON
        assert mouth.ask(hello).status == 401


def test_a_changed_role_takes_hold_within_a_second(own: Town) -> None:
    with listening(own, "CAROL") as stream, own.caller("CAROL") as carol:
        assert "create_note" in carol.tool("create_note").text
        users = [{**each, "role": "nobody"} for each in PEOPLE["users"]]

        own.write({**own.config, "users": users})

        assert ends(stream) < SOON
        result = carol.tool("create_note").message["result"]
        assert result["isError"] is True


def test_a_removed_server_is_gone_within_a_second(own: Town) -> None:
    with own.caller("ALICE", server="other") as stream:
        stream.begin()
        stream.listen()

        own.write({**own.config, "mcpServers": {"scripted": own.config["mcpServers"]["scripted"]}})

        assert ends(stream) < SOON
    with own.caller("ALICE", server="other") as alice:
        assert alice.tool("get_note").status == 404


def test_a_contractors_stream_ends_when_the_contract_does(upstream: Upstream, home: Path) -> None:
    end = datetime.now(UTC) + timedelta(seconds=12)
    users = [{**each, "expires": end.isoformat(timespec="seconds")} for each in PEOPLE["users"]]
    config = {"users": users, "mcpServers": {"scripted": server(upstream.url)}}
    with (
        Town(config, home) as town,
        listening(town, "CAROL") as stream,
        town.caller("CAROL") as carol,
    ):
        assert carol.tool("get_note").status == 200

        ends(stream)

        late = (datetime.now(UTC) - end).total_seconds()
        assert -1.0 < late < SOON
        assert within(60, lambda: bool(carol.tool("get_note").message["result"].get("isError")))
        stream_again = town.caller("CAROL")
        with stream_again:
            stream_again.session = stream.session
            answer = stream_again.ask(b"", {"accept": "text/event-stream"}, "GET")
            assert answer.status != 200
            assert "ended" in answer.error["message"]
