"""HTTP as people should not speak it, to a real gateway."""

import threading
import time

import pytest

from tests.stories.caller import Line, legacy, routing
from tests.stories.town import Town

PING = legacy("ping")


def smuggled(town: Town, head: str, body: bytes) -> bytes:
    host = f"host: 127.0.0.1:{town.port}\r\ncontent-type: application/json\r\n"
    return f"POST /mcp/scripted HTTP/1.1\r\n{host}{head}\r\n".encode() + body


def test_pipelined_requests_are_answered_in_their_order(town: Town) -> None:
    with town.caller() as caller:
        page = f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{town.port}\r\n\r\n".encode()
        slow = caller.request(*caller.call("get_late", id="slow"))
        quick = [caller.request(legacy("ping", id=n)) for n in range(5)]

        caller.send(page + slow + b"".join(quick))

        assert caller.answer().body == b'{"status": "healthy"}'
        ids = [caller.answer().message["id"] for _ in range(6)]
        assert ids == ["slow", 0, 1, 2, 3, 4]


def test_a_page_behind_a_call_never_comes_before_its_answer(town: Town) -> None:
    with town.caller() as caller:
        page = f"GET /health HTTP/1.1\r\nhost: 127.0.0.1:{town.port}\r\n\r\n".encode()

        caller.send(caller.request(*caller.call("get_late")) + page)

        assert caller.answer().text == "late, but there"
        assert caller.ended()


def test_one_byte_at_a_time_is_a_request(town: Town) -> None:
    with town.caller() as caller:
        for byte in caller.request(PING):
            caller.send(bytes([byte]))

        assert caller.answer().message["result"] == {}


@pytest.mark.parametrize("path", ["/mcp/scripted", "/health"])
def test_an_endless_header_ends(path: str, town: Town) -> None:
    with Line(town.port) as line:
        line.send(f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\nx-long: ")
        try:
            for _ in range(100):
                line.send(b"x" * 10_000)
        except OSError:
            pass
        else:
            assert line.answer().status == 431
    assert town.alive()


def test_a_hundred_kilobytes_of_headers_are_too_many(town: Town) -> None:
    with town.caller() as caller:
        caller.send(caller.request(PING, [(f"x-{n}", "y") for n in range(10_000)]))

        assert caller.answer().status == 431
    assert town.alive()


def test_many_headers_keep_nobody_waiting(town: Town) -> None:
    """The same name again and again once cost the square of their number."""
    flood = [("x", "y")] * 50_000
    with town.caller() as attacker, town.caller() as caller:
        attacker.send(attacker.request(PING, flood))
        began = time.monotonic()

        caller.ask(PING)

        assert time.monotonic() - began < 20


@pytest.mark.parametrize("target", ["/mcp/" + "x" * 40_000, "/" + "x" * 40_000])
def test_a_very_long_target_is_nowhere(target: str, town: Town) -> None:
    with town.caller() as caller:
        caller.target = target
        answer = caller.ask(PING)

        assert answer.status == 404
        assert len(answer.body) < 4000  # a page says so, and does not repeat the address
    assert town.alive()


def test_expect_is_met(town: Town) -> None:
    with town.caller() as caller:
        whole = caller.request(PING, {"expect": "100-continue"})
        head, _, body = whole.partition(b"\r\n\r\n")

        caller.send(head + b"\r\n\r\n")
        assert caller.reader.readline() == b"HTTP/1.1 100 Continue\r\n"
        assert caller.reader.readline() == b"\r\n"
        caller.send(body)

        assert caller.answer().message["result"] == {}


@pytest.mark.parametrize("last", ["1.0", "close"])
def test_a_last_request_ends_the_connection(last: str, town: Town) -> None:
    with town.caller() as caller:
        data = caller.request(PING, {"connection": "close"} if last == "close" else {})
        caller.send(data.replace(b"HTTP/1.1", b"HTTP/1.0") if last == "1.0" else data)

        answer = caller.answer()
        assert answer.message["result"] == {}
        assert answer.headers["connection"] == "close"
        assert caller.ended()


def test_an_old_client_gets_its_stream_without_chunks(town: Town) -> None:
    with town.caller() as caller:
        caller.send(caller.request(*caller.call("get_chatty")).replace(b"HTTP/1.1", b"HTTP/1.0"))

        status, headers = caller.head()
        assert (status, headers["content-type"]) == (200, "text/event-stream")
        assert "transfer-encoding" not in headers
        assert caller.reader.readline() == b"event: message\n"
        assert b"three" in caller.reader.read()


@pytest.mark.parametrize("protocol", ["h2c", "websocket", "TLS/1.0"])
@pytest.mark.parametrize("path", ["/mcp/scripted", "/health"])
def test_an_offered_upgrade_is_ignored(path: str, protocol: str, town: Town) -> None:
    offer = {"connection": "Upgrade, HTTP2-Settings", "upgrade": protocol, "http2-settings": "AAM"}
    with town.caller() as caller:
        mcp = path != "/health"
        caller.target = path
        first = caller.ask(PING if mcp else b"", offer, "POST" if mcp else "GET")
        caller.target = "/mcp/scripted"
        second = caller.ask(PING)

    assert first.status == 200
    assert first.message == (
        {"jsonrpc": "2.0", "id": 1, "result": {}} if mcp else {"status": "healthy"}
    )
    assert second.message["result"] == {}


SMUGGLING = {
    "both lengths": ("content-length: 4\r\ntransfer-encoding: chunked\r\n", b"0\r\n\r\n"),
    "both, the other way": ("transfer-encoding: chunked\r\ncontent-length: 4\r\n", b"0\r\n\r\n"),
    "two lengths": ("content-length: 4\r\ncontent-length: 5\r\n", b"null"),
    "a negative length": ("content-length: -1\r\n", b""),
    "a length in hex": ("content-length: 0x4\r\n", b"null"),
    "a list of lengths": ("content-length: 4, 4\r\n", b"null"),
    "an unknown encoding": ("transfer-encoding: gzip\r\n", b""),
    "two encodings": (
        "transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
        b"0\r\n\r\n",
    ),
    "chunked is not last": ("transfer-encoding: chunked, gzip\r\n", b"0\r\n\r\n"),
    "a folded header": ("content-length: 4\r\nx: a\r\n b\r\n", b"null"),
    "a blank before the colon": ("content-length : 4\r\n", b"null"),
    "a bare LF": ("content-length: 4\nx: y\r\n", b"null"),
    "a bare CR": ("content-length: 4\rx: y\r\n", b"null"),
    "a NUL": ("content-length: 4\r\nx: \0\r\n", b"null"),
    "no chunk size": ("transfer-encoding: chunked\r\n", b"\r\nnull\r\n0\r\n\r\n"),
    "a chunk size with a blank": ("transfer-encoding: chunked\r\n", b" 4\r\nnull\r\n0\r\n\r\n"),
    "a chunk without its end": ("transfer-encoding: chunked\r\n", b"4\r\nnullX\r\n0\r\n\r\n"),
    "a chunk size out of range": ("transfer-encoding: chunked\r\n", b"f" * 20 + b"\r\n"),
}


@pytest.mark.parametrize(("head", "body"), SMUGGLING.values(), ids=SMUGGLING)
def test_what_two_readers_could_read_differently_is_refused(
    head: str, body: bytes, town: Town
) -> None:
    before = town.count()
    with town.caller() as caller:
        key = f"apikey: {caller.key}\r\n"
        caller.send(smuggled(town, head + key, body) + caller.request(*caller.call("delete_note")))

        assert caller.answer().status == 400
        caller.ended()
    assert town.silent(before)
    assert town.alive()


def test_a_target_that_names_a_whole_url_finds_pages(town: Town) -> None:
    with town.caller() as caller:
        caller.target = f"http://127.0.0.1:{town.port}/health"

        assert caller.ask(b"", method="GET").message == {"status": "healthy"}


def test_a_hundred_clients_at_once_are_all_answered(town: Town) -> None:
    answers: list[int] = []

    def visit(number: int) -> None:
        with town.caller() as caller:
            calls = [caller.tool("get_note", {"n": number, "t": turn}) for turn in range(5)]
            answers.extend(each.status for each in calls)

    threads = [threading.Thread(target=visit, args=(number,)) for number in range(100)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()

    assert answers == [200] * 500


def test_a_client_that_goes_in_the_middle_of_a_request_harms_nobody(town: Town) -> None:
    before = town.count()

    with town.caller() as caller:
        caller.send(caller.request(*caller.call("get_note"))[:-5])

    assert town.silent(before)
    assert town.alive()


def test_headers_say_how_to_treat_answers(town: Town) -> None:
    with town.caller() as caller:
        plain = caller.tool("get_note")
        stream = caller.tool("get_chatty")
        refused = caller.ask(b"{", routing("tools/call", "get_note"))

    for answer in (plain, stream, refused):
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "no-store" in answer.headers["cache-control"]
    assert stream.headers["x-accel-buffering"] == "no"
    assert "server" not in plain.headers
