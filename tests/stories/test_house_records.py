"""What the gateway records of itself and of strangers, besides calls."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.town import KEYS, PEOPLE, SECRETS, TOKEN, Town, server
from tests.stories.upstream import Upstream, within

EXPIRED = {
    "email": "eve@example.com",
    "role": "admin",
    "api_keys": ["${MALLORY_KEY}"],
    "expires": "2020-01-01",
}


@pytest.fixture
def own(upstream: Upstream, home: Path) -> Iterator[Town]:
    config = {"mcpServers": {"scripted": server(upstream.url)}}
    with Town(config, home) as running:
        yield running


def house(running: Town, operation: str) -> list[dict[str, Any]]:
    return [each for each in running.house() if each["operation"] == operation]


def digest(running: Town) -> str:
    return hashlib.sha256(running.file.read_bytes()).hexdigest()


def test_a_start_and_a_stop_are_records(own: Town) -> None:
    (started,) = house(own, "gateway.started")
    assert started["user"] == {"email": "torhaus", "role": "system", "ip": ""}
    assert started["parameters"]["configuration"] == digest(own)

    own.stop()

    assert len(house(own, "gateway.stopped")) == 1
    assert own.house()[-1]["operation"] == "gateway.stopped"


def test_a_new_configuration_is_a_record_that_names_what_changed(own: Town) -> None:
    before = digest(own)
    users = [*PEOPLE["users"][:3], {**PEOPLE["users"][3], "api_keys": ["a-brand-new-key-55d0c1"]}]
    users[1] = {**users[1], "role": "admin"}
    new = {
        **own.config,
        "users": [*users, {"email": "zoe@example.com", "role": "reader"}],
        "mcpServers": {**own.config["mcpServers"], "other": server("http://127.0.0.1:9/mcp")},
        "limits": [],
    }

    own.write(new)

    assert within(60, lambda: len(house(own, "configuration.reloaded")) == 1)
    (record,) = house(own, "configuration.reloaded")
    assert record["parameters"] == {
        "changed": {
            "users": {
                "added": ["zoe@example.com"],
                "changed": ["bob@example.com", "mallory@example.com"],
            },
            "servers": {"added": ["other"]},
            "settings": {"added": ["limits"]},
        },
        "before": {"digest": before},
        "after": {"digest": digest(own)},
    }
    assert "a-brand-new-key-55d0c1" not in json.dumps(own.lines())
    assert not [secret for secret in SECRETS if secret in json.dumps(own.lines())]


def test_a_configuration_that_is_refused_is_a_record(own: Town) -> None:
    in_force = digest(own)

    own.write("mcpServers: {}\nnonsense: 1\nusres: []\n")

    assert within(60, lambda: len(house(own, "configuration.reloaded")) == 1)
    (record,) = house(own, "configuration.reloaded")
    assert (record["result"]["status"], record["access_control"]["allowed"]) == ("denied", False)
    assert record["parameters"] == {"problems": 2, "before": {"digest": in_force}}


def test_a_known_key_of_somebody_whose_access_has_ended_is_one_record_a_call(
    upstream: Upstream, home: Path
) -> None:
    users = [*PEOPLE["users"][:3], EXPIRED]
    config = {"users": users, "mcpServers": {"scripted": server(upstream.url)}}
    with Town(config, home) as running, running.caller("MALLORY") as eve:
        since = running.count()
        eve.tool("get_note")

        (record,) = running.new(since)

    assert record["user"]["email"] == "eve@example.com"
    assert record["result"]["status"] == "denied"


def test_unknown_credentials_are_one_record_whatever_their_number(own: Town) -> None:
    with own.caller("ALICE") as stranger:
        for number in range(50):
            stranger.key = f"no-such-key-{number}"
            assert stranger.tool("get_note").status == 401
    with own.caller(None) as nobody:
        assert nobody.tool("get_note").status == 401
    assert house(own, "credentials.refused") == []

    own.stop()

    (record,) = house(own, "credentials.refused")
    assert record["user"] == {"email": "", "role": "", "ip": "127.0.0.1"}
    assert record["parameters"]["count"] == 50
    assert (record["result"]["status"], record["access_control"]["allowed"]) == ("denied", False)
    assert "no-such-key" not in json.dumps(own.lines())


def test_the_api_counts_unknown_credentials_as_well(own: Town) -> None:
    with own.caller("ALICE") as stranger:
        stranger.key = "no-such-key"
        stranger.target = "/cache/scripted"
        assert stranger.ask(method="DELETE").status == 401

    own.stop()

    (record,) = house(own, "credentials.refused")
    assert record["parameters"]["count"] == 1
    assert TOKEN not in json.dumps(own.lines())
    assert KEYS["ALICE_KEY"] not in json.dumps(own.lines())


def test_an_unknown_notification_is_recorded_before_the_server_hears_it(
    own: Town, upstream: Upstream
) -> None:
    with own.caller("ALICE") as caller:
        caller.begin()
        since = own.count()
        told = {"jsonrpc": "2.0", "method": "notifications/com.example/delete", "params": {"x": 1}}
        assert caller.ask(told).status == 202

        (record,) = own.new(since)

    assert record["operation"] == "notifications/com.example/delete"
    assert (record["phase"], record["result"]["status"]) == ("outcome", "success")
    assert record["parameters"] == {"x": 1}
    assert own.intents()[-1]["request_id"] == record["request_id"]
    assert any(each.message.get("method") == record["operation"] for each in upstream.seen)


def test_the_trace_of_a_request_is_in_its_record(own: Town) -> None:
    parent = f"00-{'4bf9' * 8}-{'00f0' * 4}-01"
    with own.caller("ALICE") as caller:
        body, headers = caller.call("get_note")
        since = own.count()
        caller.ask(body, {**dict(headers), "traceparent": parent})

        (record,) = own.new(since)

    assert record["call"]["trace"] == "4bf9" * 8
    assert record["call"]["protocol"] == "2026-07-28"


@pytest.mark.parametrize(
    ("durability", "tool", "phases"),
    [
        ("strict", "get_note", ["intent", "outcome"]),
        ("strict", "create_note", ["intent", "outcome"]),
        ("durable", "get_note", [None]),
        ("durable", "create_note", ["intent", "outcome"]),
        ("async", "get_note", [None]),
        ("async", "create_note", ["intent", "outcome"]),
    ],
)
def test_which_calls_leave_an_intent(
    durability: str, tool: str, phases: list[str | None], upstream: Upstream, home: Path
) -> None:
    config = {
        "mcpServers": {"scripted": server(upstream.url)},
        "audit_logs": {"durability": durability},
    }
    with Town(config, home) as running, running.caller() as caller:
        caller.tool(tool, {"word": "once"})
        running.stop()

        said = [each for each in running.lines() if each["parameters"].get("word") == "once"]

    assert [each.get("phase") for each in said] == phases
    assert len({each["request_id"] for each in said}) == 1


def test_a_call_that_is_sent_again_in_a_new_session_has_one_intent_and_one_outcome(
    own: Town, upstream: Upstream
) -> None:
    with own.caller() as caller:
        caller.begin()
        caller.tool("create_note", {"word": "first"})
        upstream.forget_sessions()
        since = own.count()
        caller.tool("create_note", {"word": "again"})

        (record,) = own.new(since)

    asked = [each.message["params"]["arguments"] for each in upstream.calls("create_note")]
    assert asked.count({"word": "again"}) == 2  # refused with 404, then carried out
    intents = [each for each in own.intents() if each["parameters"] == {"word": "again"}]
    assert [each["request_id"] for each in intents] == [record["request_id"]]
