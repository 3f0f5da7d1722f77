"""Clients that go away, or do not read, while a call is under way."""

import socket
import time

import pytest

from tests.stories.town import Town
from tests.stories.upstream import Upstream, within


def memory(town: Town) -> int:
    """Resident bytes of the gateway."""
    with open(f"/proc/{town.pid}/statm") as file:
        return int(file.read().split()[1]) * 4096


def test_a_session_call_goes_on_without_its_client(town: Town, upstream: Upstream) -> None:
    """To hang up is not to cancel there: the server may be in the middle of a change."""
    upstream.marks.clear()
    before = town.count()
    with town.caller(server="patient") as caller:
        caller.begin()
        caller.send(caller.request(*caller.call("get_late")))
        assert upstream.marked("late begun")

    assert upstream.marked("late answered")
    assert within(60, lambda: ("get_late", "success") in town.outcome(before))


def test_a_stateless_call_is_cancelled_with_its_client(town: Town, upstream: Upstream) -> None:
    upstream.marks.clear()
    before = town.count()
    with town.caller(server="patient") as caller:
        caller.send(caller.request(*caller.call("get_slow")))
        assert upstream.marked("slow begun")

    assert upstream.marked("slow cancelled")
    assert within(60, lambda: town.outcome(before) == [("get_slow", "cancelled")])


def test_a_cancelled_call_gets_no_answer_but_a_record(town: Town, upstream: Upstream) -> None:
    upstream.marks.clear()
    with town.caller(server="patient") as caller, town.caller(server="patient") as other:
        caller.begin()
        other.session = caller.session
        before = town.count()
        caller.send(caller.request(*caller.call("get_slow", id="slow")))
        assert upstream.marked("slow begun")

        told = other.ask(
            {"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "slow"}}
        )

        assert told.status == 202
        assert b"result" not in caller.answer().body
        assert upstream.marked("slow cancelled")
        assert within(60, lambda: town.outcome(before) == [("get_slow", "cancelled")])


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_client_that_does_not_read_slows_its_server_down(
    era: str, town: Town, upstream: Upstream
) -> None:
    upstream.marks.clear()
    with town.caller(server="patient") as caller:
        caller.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        if era == "legacy":
            caller.begin()
        before = memory(town)
        caller.send(caller.request(*caller.call("get_flood")))

        assert within(60, lambda: any(each.startswith("flood") for each in upstream.marks))

        sent = int(next(each for each in upstream.marks if each.startswith("flood")).split()[1])
        assert sent < 100_000_000  # of 300; what is not read stays in socket buffers
        assert memory(town) - before < 50_000_000
        assert town.alive()


def test_a_slow_reader_gets_everything(town: Town) -> None:
    with town.caller(server="patient") as caller:
        caller.send(caller.request(*caller.call("get_much")))
        status, _ = caller.head()
        read = 0
        for chunk in caller.chunks():
            read += len(chunk)
            if read % 7 == 0:
                time.sleep(0.001)

    assert status == 200
    assert read > 30_000_000


def test_a_listener_that_goes_is_let_go_at_the_server(town: Town, old_upstream: Upstream) -> None:
    old_upstream.listeners.clear()
    old_upstream.marks.clear()
    with town.caller(server="old") as caller:
        caller.begin()
        caller.listen()
        assert within(60, lambda: len(old_upstream.listeners) == 1)

    assert old_upstream.marked("listener gone")
    assert town.alive()
