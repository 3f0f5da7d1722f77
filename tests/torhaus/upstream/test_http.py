"""One connection and what servers do on it, over real sockets."""

import asyncio

import pytest

from tests.torhaus.upstream.pages import LOOPS, begin, get, served
from tests.torhaus.upstream.pipes import until
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    answering,
    chunk,
    head,
    saying,
    whole,
)
from torhaus.model.ports import UpstreamError
from torhaus.upstream.http import BrokenError, bare, target

# Addresses


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://a.example/mcp", ("a.example", 80, False, "/mcp", "a.example")),
        ("https://a.example", ("a.example", 443, True, "/", "a.example")),
        ("HTTPS://A.example:8443/x?y=1", ("a.example", 8443, True, "/x?y=1", "a.example:8443")),
        ("http://[::1]:8080/mcp", ("::1", 8080, False, "/mcp", "[::1]:8080")),
        ("http://a.example/x#y", ("a.example", 80, False, "/x", "a.example")),
    ],
)
def test_a_url_is_taken_apart(url, expected):
    found = target(url)

    assert (found.host, found.port, found.tls, found.path, found.authority) == expected


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://a.example/mcp?tenant=7#x", "http://a.example/mcp"),
        ("HTTPS://A.example:8443", "https://a.example:8443/"),
        ("http://[::1]:8080/mcp", "http://[::1]:8080/mcp"),
    ],
)
def test_a_proof_names_a_url_as_requests_have_it(url, named):
    assert bare(url) == named


@pytest.mark.parametrize(
    "url",
    [
        "ftp://a.example/",
        "a.example/mcp",
        "http:///mcp",
        "http://user@a.example/",
        "http://:secret@a.example/",
        "http://a.example/a b",
        "http://a.example/\u00e9",
        "http://b\u00fccher.example/",
        "http://a.example:99999/",
        "http://a.example/\x00",
    ],
)
def test_what_is_no_plain_http_url_is_refused(url):
    with pytest.raises(ValueError):  # noqa: PT011 -- urllib has its own words
        target(url)


def test_a_url_cannot_add_a_line_to_the_head():
    assert "\n" not in target("http://a.example/x\r\nx-evil:1").path


# Answers


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_carries_one_exchange_after_another(loop):
    async def story(server, opened):
        pages = [await get(opened) for _ in range(5)]

        assert [page.body for page in pages] == [b"{}"] * 5
        assert len(server.wires) == 1

    served(saying(whole(b"{}"), then="wait"), story, loop)


@pytest.mark.parametrize("size", [1, 2, 7])
def test_an_answer_may_come_in_any_pieces(size):
    body = b"".join(chunk(b"%d " % n, b";name=value") for n in range(40))

    async def script(wire):
        while True:
            await wire.request()
            await wire.dribble(head("200 OK", "transfer-encoding: chunked") + body + LAST, size)

    async def story(server, opened):
        first, second = await get(opened), await get(opened)

        assert first.body == second.body == b"".join(b"%d " % n for n in range(40))
        assert len(server.wires) == 1

    served(script, story)


def test_header_names_are_lower_case_and_the_last_of_two_counts():
    async def story(server, opened):
        page = await get(opened)

        assert page.headers[b"x-twice"] == b"2"
        assert page.headers[b"x-mixed"] == b"a, b"

    served(saying(whole(b"{}", "200 OK", "X-Twice: 1", "x-TWICE: 2", "X-Mixed:  a, b  ")), story)


def test_of_what_a_server_asks_for_no_line_is_lost():
    """Some write one for each scheme."""

    async def story(server, opened):
        page = await get(opened)

        assert page.headers[b"www-authenticate"] == b"DPoP algs=ES256, Bearer"

    lines = ("WWW-Authenticate: DPoP algs=ES256", "www-authenticate: Bearer")
    served(saying(whole(b"{}", "401 Unauthorized", *lines)), story)


@pytest.mark.parametrize("status", ["100 Continue", "102 Processing", "103 Early Hints"])
def test_interim_answers_are_passed_over(status):
    async def story(server, opened):
        for _ in range(2):
            page = await get(opened)

            assert page.heads == [200]
            assert page.headers.get(b"x-interim") is None
        assert len(server.wires) == 1

    interim = head(status, "x-interim: 1")
    served(saying(interim, interim, whole(b"{}"), then="wait"), story)


@pytest.mark.parametrize("status", ["204 No Content", "304 Not Modified"])
def test_an_answer_without_a_body_needs_no_length(status):
    async def story(server, opened):
        first, second = await get(opened), await get(opened)

        assert first.body == second.body == b""
        assert len(server.wires) == 1

    served(saying(head(status), then="wait"), story)


def test_after_an_answer_without_a_body_a_closed_connection_is_no_answer():
    async def script(wire):
        await wire.request()
        wire.say(head("204 No Content"))
        await wire.request()
        wire.close()

    async def story(server, opened):
        await get(opened)

        with pytest.raises(BrokenError):
            await get(opened)

    served(script, story)


def test_trailers_do_not_count_as_headers():
    trailers = b"0\r\nmcp-session-id: evil\r\nx-one: 2\r\nkeep-alive: timeout=1\r\n\r\n"
    first = head("200 OK", "transfer-encoding: chunked", "x-one: 1") + chunk(b"{}") + trailers

    async def story(server, opened):
        page, _ = await get(opened), await get(opened)

        assert page.headers[b"x-one"] == b"1"
        assert b"mcp-session-id" not in page.headers
        assert len(server.wires) == 1

    served(saying(first, then="wait"), story)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("version", ["HTTP/1.0", "HTTP/1.1"])
def test_an_answer_without_a_length_ends_with_its_connection(version, loop):
    async def story(server, opened):
        for _ in range(2):
            page = await get(opened)

            assert page.body == b'{"a": 1}'
        assert len(server.wires) == 2

    raw = f"{version} 200 OK\r\ncontent-type: application/json\r\n\r\n".encode() + b'{"a": 1}'
    served(saying(raw), story, loop)


def test_an_old_server_that_keeps_connections_alive_is_believed():
    async def story(server, opened):
        await get(opened)
        await get(opened)

        assert len(server.wires) == 1

    raw = b"HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}"
    served(saying(raw, then="wait"), story)


def test_connection_close_is_obeyed():
    async def story(server, opened):
        await get(opened)
        await get(opened)

        assert len(server.wires) == 2

    served(saying(whole(b"{}", "200 OK", "connection: close"), then="wait"), story)


@pytest.mark.parametrize(
    "cut",
    [
        b"HTTP/1.1 200 OK\r\ncontent-le",
        head("200 OK", "content-length: 10") + b"123",
        head("200 OK", "transfer-encoding: chunked") + b"5\r\nab",
        head("200 OK", "transfer-encoding: chunked") + chunk(b"abc"),
    ],
)
def test_half_an_answer_is_none(cut):
    async def story(server, opened):
        with pytest.raises(BrokenError) as caught:
            await get(opened)

        assert caught.value.answered
        assert str(caught.value) == "it closed the connection"

    served(saying(cut), story)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["close", "reset", "half_close"])
def test_a_connection_that_ends_before_any_answer_says_so(how, loop):
    async def script(wire):
        await wire.request()
        getattr(wire, how)()
        if how == "half_close":
            await wire.gone()

    async def story(server, opened):
        with pytest.raises(BrokenError) as caught:
            await get(opened)

        assert not caught.value.answered

    served(script, story, loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_reset_in_an_answer_without_a_length_is_not_its_end(loop):
    async def script(wire):
        await wire.request()
        wire.say(head("200 OK"), b'{"result": 1}')
        await wire.writer.drain()
        await asyncio.sleep(0.05)
        wire.reset()

    async def story(server, opened):
        with pytest.raises(BrokenError):
            await get(opened)

    served(script, story, loop)


# Time


def test_silence_ends_an_exchange_and_says_how_long_it_lasted():
    async def script(wire):
        await wire.request()
        await wire.gone()

    async def story(server, opened):
        with pytest.raises(UpstreamError, match=r"it did not answer within 0\.1 s"):
            await get(opened, patience=0.1)

        await until(lambda: all(task.done() for task in server.tasks))

    served(script, story)


def test_every_byte_is_a_sign_of_life():
    async def script(wire):
        await wire.request()
        wire.say(head("200 OK", "content-length: 8"))
        for _ in range(8):
            await asyncio.sleep(0.25)
            wire.say(b"x")

    async def story(server, opened):
        page = await get(opened, patience=1.5)

        assert page.body == b"x" * 8

    served(script, story)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_slow_reader_is_not_a_silent_server(loop):
    gates = asyncio.Event()

    async def script(wire):
        await wire.request()
        wire.say(head("200 OK", "content-length: 4"), b"ab")
        await gates.wait()
        wire.say(b"cd")
        await wire.gone()

    async def story(server, opened):
        connection = await opened.fresh()
        page = begin(connection, patience=1.0)
        await until(lambda: page.body == b"ab")
        connection.hold()
        gates.set()
        await asyncio.sleep(2.2)
        assert not page.done.done()
        assert page.body == b"ab"
        connection.go_on()

        assert (await page.done).body == b"abcd"

    served(script, story, loop)


def test_after_going_on_silence_counts_again():
    async def script(wire):
        await wire.request()
        wire.say(head("200 OK", "content-length: 4"), b"ab")
        await wire.gone()

    async def story(server, opened):
        connection = await opened.fresh()
        page = begin(connection, patience=1.0)
        await until(lambda: page.body == b"ab")
        connection.hold()
        connection.go_on()

        with pytest.raises(UpstreamError, match="did not answer within"):
            await page.done

    served(script, story)


def test_many_answers_from_one_scripted_server_come_in_order():
    answers = [whole(b"%d" % n) for n in range(1, 6)]

    async def story(server, opened):
        assert [(await get(opened)).body for _ in answers] == [b"1", b"2", b"3", b"4", b"5"]

    served(answering(*answers), story)
