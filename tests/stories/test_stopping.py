"""The gateway ends in order, and goes on where it was."""

import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.stories.caller import Answer
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream, within

AT_ONCE, WITHIN = 7.0, 40.0
"""Seconds, where nothing is waited for; and where the gateway gives a call its eight."""


@pytest.fixture
def own(upstream: Upstream, home: Path) -> Iterator[Town]:
    with Town({"mcpServers": {"scripted": server(upstream.url, timeout="60s")}}, home) as running:
        yield running


def stopped(town: Town) -> tuple[int, float]:
    """Exit code and seconds."""
    began = time.monotonic()
    code = town.stop()
    return code, time.monotonic() - began


def test_an_idle_gateway_ends_at_once(own: Town) -> None:
    with own.caller() as caller:
        caller.tool("get_note")

        code, seconds = stopped(own)

        assert code == 0
        assert seconds < AT_ONCE
        assert caller.ended()


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_call_under_way_is_answered_and_recorded(era: str, own: Town, upstream: Upstream) -> None:
    upstream.marks.clear()
    answers: list[Answer] = []
    with own.caller() as caller:
        if era == "legacy":
            caller.begin()
        reading = threading.Thread(target=lambda: answers.append(caller.tool("get_late")))
        reading.start()
        assert upstream.marked("late begun")

        code, seconds = stopped(own)
        reading.join()

    assert (code, seconds < WITHIN) == (0, True)
    assert answers[0].text == "late, but there"
    assert own.records()[-1]["operation"] == "get_late"
    assert own.records()[-1]["result"]["status"] == "success"


def test_open_streams_end_with_their_last_chunk(own: Town) -> None:
    with own.caller() as caller:
        caller.begin()
        caller.listen()

        code, seconds = stopped(own)

        assert (code, seconds < AT_ONCE) == (0, True)
        assert list(caller.chunks()) == [b":\n\n"]
        assert caller.ended()


def test_a_call_that_does_not_end_does_not_keep_the_gateway(own: Town, upstream: Upstream) -> None:
    upstream.marks.clear()
    with own.caller() as caller:
        caller.begin()
        caller.send(caller.request(*caller.call("get_slow")))
        assert upstream.marked("slow begun")

        code, seconds = stopped(own)

    assert code == 0
    assert seconds < WITHIN
    assert own.records()[-1]["operation"] == "get_slow"
    assert own.records()[-1]["result"]["status"] == "cancelled"


def test_a_client_that_does_not_read_does_not_keep_the_gateway(
    own: Town, upstream: Upstream
) -> None:
    upstream.marks.clear()
    with own.caller() as caller:
        caller.send(caller.request(*caller.call("get_flood")))
        time.sleep(0.5)

        code, seconds = stopped(own)

    assert code == 0
    assert seconds < WITHIN


def test_a_half_sent_request_does_not_keep_the_gateway(own: Town) -> None:
    with own.caller() as caller:
        caller.send(caller.request(*caller.call("get_note"))[:-3])
        time.sleep(0.1)

        code, seconds = stopped(own)

    assert (code, seconds < AT_ONCE) == (0, True)


def test_a_session_goes_on_after_a_restart_of_the_gateway(own: Town) -> None:
    with own.caller() as caller:
        caller.begin()
        session = caller.session
        assert stopped(own)[0] == 0
    own.start()

    with own.caller() as caller, own.caller("CAROL") as carol:
        caller.session = carol.session = session

        assert "get_note" in caller.tool("get_note").text
        assert carol.tool("get_note").status == 404


def test_a_session_goes_on_after_a_restart_of_its_server(home: Path) -> None:
    with ExitStack() as stack:
        first = stack.enter_context(Upstream(modern=False))
        town = stack.enter_context(Town({"mcpServers": {"scripted": server(first.url)}}, home))
        caller = stack.enter_context(town.caller())
        caller.begin()
        assert "get_note" in caller.tool("get_note").text
        first.stop()

        with Upstream(modern=False, port=first.port) as second:
            assert within(60, lambda: "get_note" in caller.tool("get_note").text)

            assert len(second.sessions) == 1


def test_records_go_on_after_a_restart(own: Town) -> None:
    assert own.alive()
    before = own.count()
    assert stopped(own)[0] == 0
    own.start()

    assert own.alive()

    assert own.count() > before
    requests = [each["request_id"] for each in own.records()]
    assert len(set(requests)) == len(requests)
