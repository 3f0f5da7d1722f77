"""What must not come over a connection: garbage, floods, answers that nobody asked for."""

import asyncio

import pytest

from tests.torhaus.upstream.pages import LOOPS, get, served
from tests.torhaus.upstream.pipes import until
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    chunk,
    head,
    saying,
    whole,
)
from torhaus.model.ports import UpstreamError
from torhaus.upstream.http import MAX_HEADER_BYTES

# What is not HTTP/1.1


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x00\x01\x02\x03",
        b"SSH-2.0-OpenSSH_9.2\r\n",
        b"220 mail.example ESMTP\r\n",
        b"HTTP/1.1 abc OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nbad name: 1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nx: a\x00b\r\ncontent-length: 0\r\n\r\n",
        head("200 OK", "content-length: 1", "content-length: 2") + b"ab",
        head("200 OK", "content-length: 2", "transfer-encoding: chunked") + chunk(b"ab") + LAST,
        head("200 OK", "content-length: -1"),
        head("200 OK", "transfer-encoding: chunked") + b"zz\r\nab\r\n",
        head("101 Switching Protocols", "upgrade: websocket", "connection: upgrade"),
    ],
)
def test_garbage_is_an_error_and_ends_the_connection(garbage):
    async def story(server, opened):
        with pytest.raises(UpstreamError, match=r"it does not speak HTTP/1\.1 properly"):
            await get(opened)

        await until(lambda: server.tasks and all(task.done() for task in server.tasks))

    async def script(wire):
        await wire.request()
        wire.say(garbage)
        await wire.gone()

    served(script, story)


@pytest.mark.parametrize(
    "flood",
    [
        b"HTTP/1.1 200 OK\r\nx: " + b"a" * 64,
        b"HTTP/1.1 200 " + b"a" * 64,
        head("200 OK", "transfer-encoding: chunked") + b"1;" + b"a" * 64,
        head("200 OK", "transfer-encoding: chunked") + b"0\r\nx: " + b"a" * 64,
        b"\r\n",
    ],
)
def test_a_line_without_end_costs_a_bounded_amount_of_memory(flood):
    sent = 0

    async def script(wire):
        nonlocal sent
        await wire.request()
        wire.say(flood)
        more = b"\r\n" * 2048 if flood == b"\r\n" else b"a" * 4096
        while True:
            wire.say(more)
            sent += len(more)
            await wire.writer.drain()

    async def story(server, opened):
        with pytest.raises(UpstreamError, match="headers are too large"):
            await get(opened)

        assert sent < 16 * 1024 * 1024  # what the sockets' buffers hold

    served(script, story)


@pytest.mark.parametrize(("count", "fits"), [(MAX_HEADER_BYTES // 1100, True), (70, False)])
def test_all_headers_together_are_bounded(count, fits):
    lines = [f"x-{n}: {'a' * 1000}" for n in range(count)]

    async def story(server, opened):
        if fits:
            assert len((await get(opened)).headers) > count
        else:
            with pytest.raises(UpstreamError, match="headers are too large"):
                await get(opened)

    served(saying(whole(b"x" * 300_000, "200 OK", *lines)), story)


# What nobody asked for


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("whole_answer", [True, False])
def test_an_answer_that_nobody_asked_for_never_reaches_the_next_caller(whole_answer, loop):
    poison = whole(b'"poison"')
    said = asyncio.Event()

    async def script(wire):
        number = 0
        while True:
            await wire.request()
            number += 1
            wire.say(whole(b'"%d.%d"' % (wire.number, number)))
            if wire.number == 0:
                await asyncio.sleep(0.02)
                wire.say(poison if whole_answer else poison[:-3])
                said.set()

    async def story(server, opened):
        await get(opened)
        await said.wait()
        await until(lambda: not opened._all)

        page = await get(opened)

        assert page.body == b'"1.1"'

    served(script, story, loop)


def test_two_answers_in_one_packet_are_one_too_many():
    async def story(server, opened):
        first = await get(opened)
        second = await get(opened)

        assert (first.body, second.body) == (b"1", b"1")
        assert len(server.wires) == 2

    served(saying(whole(b"1"), whole(b"2"), then="wait"), story)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_request_that_is_refused_before_it_was_read_spoils_its_connection(loop):
    async def script(wire):
        while True:
            sizes, _ = await wire.head()
            if int(sizes["content-length"]) > 1000:
                wire.say(whole(b"{}", "413 Content Too Large"))
                await wire.gone()
                return
            await wire.reader.readexactly(int(sizes["content-length"]))
            wire.say(whole(b'"ok"'))

    async def story(server, opened):
        size = 16_000_000
        big = b"POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % size + bytes(size)
        small = b"POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}"

        assert (await get(opened, data=big)).heads == [413]
        assert (await get(opened, data=small)).body == b'"ok"'
        assert len(server.wires) == 2

    served(script, story, loop)
