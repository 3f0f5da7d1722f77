"""However access ends, the very next call is refused and streams end: of every credential."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.caller import Caller
from tests.stories.ending import ERIN, WAYS, Desk, refused, token
from tests.stories.town import KEYS, SOON, Town, server
from tests.stories.upstream import Upstream, within

BOB = "bob@example.com"
Act = tuple[str, str, dict[str, Any], str]
"""Method, path, body; and a word of what is said to those whom it meets."""
OF_PEOPLE = ("suspended", "offboarded", "user stopped", "server stopped", "tool stopped")


@pytest.fixture
def own(upstream: Upstream, home: Path) -> Iterator[Town]:
    with Town({"mcpServers": {"scripted": server(upstream.url)}}, home) as running:
        yield running


def credential(town: Town, desk: Desk, kind: str) -> tuple[str, str, str]:
    """What a caller sends, whose it is, and its id."""
    if kind == "key of the file":
        return KEYS["BOB_KEY"], BOB, ""
    desk.hire()
    if kind == "key":
        made = desk.key()
        return made["key"], ERIN, made["id"]
    sent, id = token(town, ERIN)
    return sent, ERIN, id


CASES = [
    *((way, kind) for way in WAYS for kind in ("key", "access token")),
    *((way, "key of the file") for way in OF_PEOPLE),
]


@pytest.mark.parametrize(("way", "kind"), CASES)
def test_the_next_call_is_refused_and_the_stream_ends(way: str, kind: str, own: Town) -> None:
    desk = Desk(own)
    key, email, id = credential(own, desk, kind)
    with Caller(own.port, key) as caller, Caller(own.port, key) as stream:
        assert within(60, lambda: not refused(caller))
        stream.begin()
        stream.listen()
        for _ in range(3):
            assert not refused(caller)

        WAYS[way](desk, email, id)

        assert refused(caller)
        if way != "tool stopped":
            began = time.monotonic()
            for _ in stream.chunks():
                pass
            assert time.monotonic() - began < SOON


def test_a_call_under_way_is_cut_off_and_its_result_is_kept_from_the_caller(
    own: Town, upstream: Upstream
) -> None:
    desk = Desk(own)
    desk.hire()
    made = desk.key()
    with Caller(own.port, made["key"]) as caller:
        before = len(upstream.calls("get_slow"))
        caller.send(caller.request(*caller.call("get_slow")))
        assert within(60, lambda: len(upstream.calls("get_slow")) > before)
        began = time.monotonic()
        desk.do("DELETE", f"keys/{made['id']}")

        answer = caller.answer()

        assert time.monotonic() - began < SOON
        assert answer.status == 401
        assert "access has ended" in answer.error["message"]


def test_a_call_at_what_is_stopped_or_closed_to_him_is_cut_off(
    own: Town, upstream: Upstream
) -> None:
    desk = Desk(own)
    stop = {"kind": "server", "target": "scripted", "reason": "leak 47"}
    cases: list[Act] = [
        ("POST", "stops", stop, "leak 47"),
        ("POST", "stops", {**stop, "kind": "tool", "target": "scripted/get_slow"}, "leak 47"),
        ("PATCH", f"people/{ERIN}", {"roles": []}, "access has ended"),
    ]
    desk.hire()
    made = desk.key()
    for target, name in (("/mcp/scripted", "get_slow"), ("/mcp", "scripted__get_slow")):
        for act in cases:
            with Caller(own.port, made["key"]) as caller:
                caller.target = target
                before = len(upstream.calls("get_slow"))
                caller.send(caller.request(*caller.call(name)))
                assert within(60, lambda n=before: len(upstream.calls("get_slow")) > n)
                began = time.monotonic()
                found = desk.do(*act[:-1])
                answer = caller.answer().body.decode()
                took = time.monotonic() - began

            assert took < SOON
            assert act[-1] in answer
            if act[1] == "stops":
                desk.do("DELETE", f"stops/{found['id']}")
            desk.do("PATCH", f"people/{ERIN}", {"roles": ["reader"]})


def test_a_call_elsewhere_goes_on_while_something_is_stopped(own: Town) -> None:
    desk = Desk(own)
    with own.caller("BOB") as bob:
        bob.send(bob.request(*bob.call("get_late")))
        body = {"kind": "tool", "target": "scripted/get_note", "reason": "leak 47"}
        timer = threading.Timer(0.2, lambda: desk.do("POST", "stops", body))
        timer.start()

        assert "late, but there" in bob.answer().text
        timer.join()


def test_a_key_is_over_to_the_second(own: Town) -> None:
    desk = Desk(own)
    desk.hire()
    ends = time.time() + 6
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(ends)) + "Z"
    made = desk.key(expires=stamp)
    with Caller(own.port, made["key"]) as caller:
        assert not refused(caller)
        assert within(60, lambda: refused(caller))
        assert -1.0 < time.time() - int(ends) < SOON


def test_a_stop_says_why_and_stands_in_the_record(own: Town) -> None:
    desk = Desk(own)
    made = desk.do(
        "POST", "stops", {"kind": "tool", "target": "scripted/get_note", "reason": "leak 47"}
    )
    with own.caller("BOB") as bob:
        before = own.count()
        assert "leak 47" in bob.tool("get_note").text
        (record,) = own.new(before)
        assert record["access_control"]["policy_applied"] == f"stop:{made['id']}"

        desk.do("DELETE", f"stops/{made['id']}")
        assert not refused(bob)


def test_a_token_is_good_at_its_own_address_alone_and_cookies_and_urls_are_none(
    own: Town,
) -> None:
    desk = Desk(own)
    desk.hire()
    sent, _ = token(own, ERIN)
    with Caller(own.port, sent) as caller:
        assert not refused(caller)
        caller.target = "/mcp"
        answer = caller.tool("scripted__get_note")
        assert answer.status == 401
        told = answer.headers["www-authenticate"]
        where = f'"http://127.0.0.1:{own.port}/.well-known/oauth-protected-resource/mcp"'
        assert f"resource_metadata={where}" in told
        assert 'scope="mcp"' in told
        assert 'error="invalid_token"' in told
        caller.target = f"/mcp/scripted?access_token={sent}"
        assert "ends up in logs" in caller.tool("get_note").error["message"]
