from datetime import UTC
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, CAROL, DAY, MALLORY, NOW, github, limited
from tests.torhaus.edge.fakes import exchange, head
from torhaus.edge.reading import (
    Door,
    goes_nowhere,
    is_event_stream,
    once,
    server_name,
    takes_stream,
    trace,
)
from torhaus.edge.visitor import Visitor
from torhaus.identity.keys import digest
from torhaus.mcp.ladder import SESSION, VERSION
from torhaus.mcp.message import CallerError, Notification, Response
from torhaus.model.access import Effect, Hours, Origin, Policy
from torhaus.model.people import Phase, Principal
from torhaus.model.rules import Rules

SERVER = github()
MODERN = b"2026-07-28"


@pytest.mark.parametrize(
    ("target", "name"),
    [
        (b"/mcp", ""),
        (b"/mcp/", ""),
        (b"/mcp?x=/y", ""),
        (b"/mcp/github", "github"),
        (b"/mcp/github/", "github"),
        (b"/mcp//github", "github"),
        (b"/mcp/github?x=/y", "github"),
        (b"/mcp/%67ithub", "github"),
        (b"/mcp/GitHub", "GitHub"),
        (b"/mcp/github/x", "github/x"),
        (b"/mcp/%2e%2e/", ".."),
        (b"/mcp/%00", "\0"),
        (b"/mcp/%ff", "\ufffd"),
        (b"/mcp/%zz", "%zz"),
        (b"/mcp/\xff", "\xff"),
    ],
)
def test_the_path_names_the_server(target: bytes, name: str) -> None:
    assert server_name(target) == name


@pytest.mark.parametrize(
    ("kind", "fine"),
    [
        ("application/json", True),
        ("application/json; charset=utf-8", True),
        ("Application/JSON", True),
        ("application/json ;x", True),
        ("application/jsonp", False),
        ("text/json", False),
        ("", False),
    ],
)
def test_a_post_carries_json(kind: str, fine: bool) -> None:
    if fine:
        assert takes_stream(head({"content-type": kind}))
        return
    with pytest.raises(CallerError) as refused:
        takes_stream(head({"content-type": kind}))
    assert refused.value.status == 415


@pytest.mark.parametrize(
    ("accept", "stream"),
    [
        (None, True),
        ("*/*", True),
        ("application/json, text/event-stream", True),
        ("text/event-stream", True),
        ("application/json", False),
        ("application/*", False),
    ],
)
def test_accept_says_whether_a_stream_will_do(accept: str | None, stream: bool) -> None:
    headers = {"content-type": "application/json"}
    headers |= {} if accept is None else {"accept": accept}

    assert takes_stream(head(headers)) is stream


@pytest.mark.parametrize("accept", ["text/html", "image/*", ""])
def test_who_takes_neither_is_told(accept: str) -> None:
    with pytest.raises(CallerError) as refused:
        takes_stream(head({"content-type": "application/json", "accept": accept}))
    assert refused.value.status == 406


@pytest.mark.parametrize(
    ("accept", "fine"),
    [(None, True), ("text/event-stream", True), ("*/*", True), ("application/json", False)],
)
def test_a_listener_takes_event_streams(accept: str | None, fine: bool) -> None:
    assert is_event_stream(exchange({} if accept is None else {"accept": accept})) is fine


@pytest.mark.parametrize(
    "name",
    [
        "mcp-session-id",
        "mcp-protocol-version",
        "mcp-method",
        "mcp-name",
        "mcp-param-x",
        "last-event-id",
    ],
)
def test_what_decides_may_stand_once(name: str) -> None:
    came = exchange({name: "a"})
    came.head.add(name.encode(), b"a")

    with pytest.raises(CallerError, match=name) as refused:
        once(came)
    assert refused.value.code == -32020


def test_what_does_not_decide_may_stand_twice() -> None:
    came = exchange({"cookie": "a"})
    came.head.add(b"cookie", b"b")

    once(came)


def door(principal: Principal = ALICE, key: bytes | None = b"k", **headers: str) -> Door:
    return Door(exchange(headers), Visitor(principal, key), SERVER)


def test_parameter_headers_are_read_and_no_others() -> None:
    found = door(**{"mcp-param-repo": "a/b", "mcp-name": "x", "mcp-param-n": "1"}).params()

    assert found == (("mcp-param-repo", "a/b"), ("mcp-param-n", "1"))


def test_a_parameter_header_beyond_ascii_is_refused() -> None:
    with pytest.raises(CallerError, match="ASCII"):
        door(**{"mcp-param-repo": "\xe4"}).params()


def rules(**more: Any) -> Rules:
    found = {"servers": {"github": SERVER}, "keys": {digest("k"): ALICE}, **more}
    return Rules(version="1", **found)


def test_a_caller_with_a_key_stays_as_long_as_the_key_is_his() -> None:
    assert door().still_valid(rules(), NOW)
    assert not door().still_valid(rules(keys={}), NOW)
    assert not door().still_valid(rules(keys={digest("k"): BOB}), NOW)


def test_a_caller_stays_until_access_expires() -> None:
    mine = door(CAROL)

    assert mine.still_valid(rules(keys={digest("k"): CAROL}), NOW + DAY - 1)
    assert not mine.still_valid(rules(keys={digest("k"): CAROL}), NOW + DAY)


def test_a_caller_stays_as_long_as_anything_is_permitted() -> None:
    now_nobody = Principal(id=ALICE.id, email=ALICE.email, phases=MALLORY.phases)

    assert not door().still_valid(rules(keys={digest("k"): now_nobody}), NOW)
    assert not door().still_valid(rules(servers={}), NOW)


def test_who_waits_is_known_by_the_rules_of_today() -> None:
    later = Principal(id=ALICE.id, email=ALICE.email, phases=BOB.phases)
    elsewhere = github(timeout=1.0)
    fresh = rules(keys={digest("k"): later}, servers={"github": elsewhere})

    assert door().renewed(fresh, NOW) == (later, elsewhere)
    assert door().renewed(rules(keys={}), NOW) is None


def test_who_has_hung_up_is_gone() -> None:
    waiting = door()
    assert not waiting.gone

    waiting.exchange.lost()

    assert waiting.gone


def test_a_caller_without_a_key_stays_as_long_as_the_door_is_open() -> None:
    guest = door(key=None)

    assert guest.still_valid(rules(principals={ALICE.id: ALICE}), NOW)
    assert not guest.still_valid(rules(), NOW)


OFFICE = Hours(zone=UTC, windows=((8 * 3600, 18 * 3600),))
CLOSED = Policy(name="p", effect=Effect.DENY_OUTSIDE_HOURS, hours=OFFICE)
NOON = NOW - NOW % 86400 + 12 * 3600


@pytest.mark.parametrize(
    ("access", "now", "stays"),
    [
        ({}, NOON, True),
        ({"policies": (CLOSED,)}, NOON + 6 * 3600 - 1, True),
        ({"policies": (CLOSED,)}, NOON + 6 * 3600, False),
        ({"policies": (Policy(name="p", effect=Effect.REQUIRE_APPROVAL),)}, NOON, True),
        ({"origins": (Origin(rule="o", clients=frozenset({"cursor"})),)}, NOON, True),
        ({"origins": (Origin(rule="o", clients=frozenset({"vscode"})),)}, NOON, False),
        ({"origins": (Origin(rule="o", networks=()),)}, NOON, False),
    ],
)
def test_who_listens_stays_as_long_as_he_might_call(
    access: dict[str, Any], now: float, *, stays: bool
) -> None:
    who = limited(ALICE, **access)
    today = rules(keys={digest("k"): who})

    assert door(who).used_by("cursor").still_valid(today, now) is stays
    assert door(who).renewed(today, now) == (who, SERVER)


def test_who_listens_goes_when_his_phase_ends() -> None:
    (phase,) = ALICE.phases
    ended = (msgspec.structs.replace(phase, ends=NOW + 5), Phase(begins=NOW + 5))
    who = msgspec.structs.replace(ALICE, phases=ended)
    today = rules(keys={digest("k"): who})

    assert door(who).still_valid(today, NOW + 4.999)
    assert not door(who).still_valid(today, NOW + 5)


PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_the_head_names_the_trace_of_a_request() -> None:
    assert trace(head({"Traceparent": PARENT})) == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert trace(head()) == ""
    assert trace(head({"traceparent": "\xff"})) == ""


def test_two_parents_name_no_trace() -> None:
    twice = head({"traceparent": PARENT})
    twice.add(b"traceparent", PARENT.encode())

    assert trace(twice) == ""


@pytest.mark.parametrize(
    ("message", "headers", "nowhere"),
    [
        (Notification("notifications/initialized", {}, b""), {VERSION: MODERN}, True),
        (Notification("notifications/initialized", {}, b""), {}, False),
        (Notification("notifications/x", {}, b""), {VERSION: MODERN, SESSION: b"s"}, False),
        (Notification("notifications/x", {}, b""), {VERSION: b"2025-06-18"}, False),
    ],
)
def test_a_notification_outside_of_sessions_goes_nowhere(message, headers, nowhere):
    assert goes_nowhere(message, headers) is nowhere


def test_a_request_without_an_id_is_refused_in_either_era():
    for headers in ({}, {VERSION: MODERN}, {VERSION: MODERN, SESSION: b"s"}):
        with pytest.raises(CallerError, match="'tools/call' is a request and needs an id"):
            goes_nowhere(Notification("tools/call", {}, b""), headers)


def test_a_modern_client_has_no_responses_to_send():
    answer = Response(1, "result", b"{}")

    with pytest.raises(CallerError, match="repeat the request"):
        goes_nowhere(answer, {VERSION: MODERN})
    assert goes_nowhere(answer, {VERSION: MODERN, SESSION: b"s"}) is False
