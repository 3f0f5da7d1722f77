"""The short way past the parser, for plain answers."""

import json

import pytest

from tests.torhaus.upstream.pages import GET, begin, served
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    chunk,
    head,
    saying,
    whole,
)
from torhaus.model.ports import UpstreamError

PLAIN = [
    whole(b'{"a":1}'),
    whole(b"{}", "200 OK", "date: today", "server: x", "x-trace-id: 1", "mcp-session-id: s"),
    whole(b"{}", "200 Fine", "Connection: Keep-Alive", "vary: a"),
    head("200 OK", "content-type: application/json; charset=utf-8", "content-length: 2") + b"{}",
]
ODD = [
    whole(b"{}", "200 OK", "keep-alive: timeout=3"),
    whole(b"{}", "200 OK", "connection: close"),
    whole(b"{}", "201 Created"),
    whole(b"{}", "200 OK", "content-encoding: gzip"),
    head("200 OK", "content-type: application/json", "transfer-encoding: chunked")
    + chunk(b"{}")
    + LAST,
    head("200 OK", "content-type: text/event-stream", "content-length: 2") + b"\n\n",
    whole(b"{}", "200 OK", "x-folded: a\r\n b"),
]


@pytest.mark.parametrize("answer", PLAIN + ODD)
def test_the_short_way_and_the_parser_agree(answer):
    async def story(server, opened):
        found = []
        for plain in (True, False):
            connection = await opened.fresh()
            page = begin(connection, data=b"")
            page.plain = plain
            connection.transport.write(GET)
            try:
                done = await page.done
                found.append((done.heads, done.body, done.headers.get(b"content-encoding")))
            except UpstreamError as error:
                found.append(str(error))

        assert found[0] == found[1]

    served(saying(answer), story)


def test_a_plain_answer_with_a_second_one_behind_it_is_one_too_many():
    async def story(server, opened):
        connection = await opened.fresh()
        page = begin(connection)
        page.plain = True
        assert (await page.done).body == b"1"

        assert connection.transport.is_closing()

    served(saying(whole(b"1"), whole(b"2"), then="wait"), story)


def test_a_plain_answer_in_two_pieces_is_whole():
    async def script(wire):
        await wire.request()
        await wire.dribble(whole(json.dumps({"a": "b" * 50}).encode()), 60)
        await wire.gone()

    async def story(server, opened):
        connection = await opened.fresh()
        page = begin(connection)
        page.plain = True

        assert json.loads((await page.done).body) == {"a": "b" * 50}

    served(script, story)


def test_what_the_reader_of_a_plain_answer_stumbles_over_fails_its_caller():
    """As behind the parser: else whoever waits for it would wait for ever."""

    async def story(server, opened):
        found = []
        for plain in (True, False):
            connection = await opened.fresh()
            page = begin(connection)
            page.plain = plain
            page.data = lambda chunk: {}[chunk]
            with pytest.raises(UpstreamError) as raised:
                await page.done
            found.append(str(raised.value))

        assert found[0] == found[1] == "it sent an answer we cannot read"

    served(saying(whole(b"{}")), story)
