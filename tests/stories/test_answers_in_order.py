"""Whatever comes on a connection, each answer stands in its place."""

import asyncio

import pytest

from tests.torhaus.edge.lanes import CHUNKED, HOST, MAX_BODY, asked, listening, posted, run


def test_pipelined_requests_are_answered_in_their_order() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(posted(b"hold") + posted(b"2") + posted(b"3"))
            first = await lanes.came()
            await asyncio.sleep(0.01)
            first.json(200, b"first")

            assert [(await client.answer()).body for _ in range(3)] == [b"first", b"ok 2", b"ok 3"]

    run(story())


def test_a_request_that_comes_just_behind_an_answer_does_not_overtake_the_queue() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"hold 1") + posted(b"2"))
            first = await lanes.came()
            lane = lanes.lanes[0]

            first.json(200, b"first")
            lane.data_received(posted(b"3"))

            assert [(await client.answer()).body for _ in range(3)] == [b"first", b"ok 2", b"ok 3"]

    run(story())


def test_an_mcp_request_behind_a_page_waits_for_the_page() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(asked(b"/slow") + posted(b"2") + posted(b"3"))

            assert [(await client.answer()).body for _ in range(3)] == [
                b"page /slow",
                b"ok 2",
                b"ok 3",
            ]

    run(story())


def test_a_page_behind_an_mcp_request_ends_the_connection_after_its_answer() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(posted(b"hold") + asked(b"/health"))
            (await lanes.came()).json(200, b"first")

            assert (await client.answer()).body == b"first"
            assert await client.ended() == b""

    run(story())


def test_a_page_behind_a_page_and_an_mcp_request_is_not_answered_first() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(asked(b"/slow") + posted(b"2") + asked(b"/health"))

            assert (await client.answer()).body == b"page /slow"
            assert b"page /health" not in await client.ended()

    run(story())


@pytest.mark.parametrize(
    "garbage",
    [
        b"what is this\r\n\r\n",
        posted(b"x" * (MAX_BODY + 1)),
        CHUNKED + b"zz\r\n",
        b"".join(posted(b"%d" % n) for n in range(20)),
    ],
    ids=["no HTTP", "too large", "bad chunk", "too many"],
)
def test_garbage_behind_a_request_never_takes_the_place_of_its_answer(garbage: bytes) -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(posted(b"hold") + garbage)
            first = await lanes.came()
            await asyncio.sleep(0.02)
            first.json(200, b"first")

            answer = await client.answer()
            assert (answer.status, answer.body) == (200, b"first")
            assert b"first" not in await client.ended()

    run(story())


def test_nothing_behind_connection_close_is_carried_out() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(posted(b"1", headers=b"connection: close\r\n") + posted(b"2"))

            answer = await client.answer()
            assert answer.headers[b"connection"] == b"close"
            assert await client.ended() == b""
            assert len(lanes.post.came) == 1

    run(story())


def test_a_head_request_is_answered_without_a_body() -> None:
    async def story() -> None:
        async with listening() as lanes:
            lanes.post.held = lambda exchange: exchange.head.method == b"HEAD"
            client = await lanes.connect()

            client.send(asked(b"/mcp/x", method=b"HEAD") + posted(b"2"))
            (await lanes.came()).answer(401, b'{"no":"entry"}')

            status, headers = await client.head()
            assert (status, headers[b"content-length"]) == (401, b"14")
            assert (await client.answer()).body == b"ok 2"

    run(story())


# -- old HTTP ---------------------------------------------------------------------------------


def test_http_1_0_ends_the_connection_after_the_answer() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(b"POST /mcp/x HTTP/1.0\r\ncontent-length: 2\r\n\r\nhi")

            assert (await client.answer()).body == b"ok hi"
            assert await client.ended() == b""

    run(story())


def test_http_1_0_gets_a_stream_without_chunks() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(b"POST /mcp/x HTTP/1.0\r\ncontent-length: 4\r\n\r\nhold")
            exchange = await lanes.came()
            exchange.event(b"{}")
            exchange.beat()
            exchange.end()

            status, headers = await client.head()
            assert status == 200
            assert b"transfer-encoding" not in headers
            assert await client.ended() == b"event: message\ndata: {}\n\n:\n\n"

    run(story())


def test_expect_is_met_before_the_body() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(
                b"POST /mcp/x HTTP/1.1\r\n%bcontent-length: 2\r\nexpect: 100-continue\r\n\r\n"
                % HOST
            )
            assert (await client.head())[0] == 100
            client.send(b"hi")

            assert (await client.answer()).body == b"ok hi"

    run(story())


@pytest.mark.parametrize(
    "upgrade",
    [
        b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n",
        b"connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\n",
    ],
    ids=["h2c", "websocket"],
)
@pytest.mark.parametrize("request_", ["post", "get", "page"])
def test_an_offered_upgrade_is_not_taken_up(upgrade: bytes, request_: str) -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            sent = {
                "post": posted(b"1", headers=upgrade),
                "get": asked(b"/mcp/x", headers=upgrade),
                "page": asked(b"/health", headers=upgrade),
            }[request_]

            client.send(sent)
            first = await client.answer()
            client.send(posted(b"2"))

            assert first.body == {"post": b"ok 1", "get": b"ok ", "page": b"page /health"}[request_]
            assert (await client.answer()).body == b"ok 2"

    run(story())


H2C = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABk\r\n"


@pytest.mark.parametrize(
    "chunks",
    [
        [posted(b"hi", headers=H2C), posted(b"next")],
        [posted(b"hi", headers=H2C) + posted(b"next")],
        [posted(b"hi", headers=H2C)[:-2], b"h", b"i", posted(b"next")],
        [posted(b"hi", headers=H2C)[:40], posted(b"hi", headers=H2C)[40:] + posted(b"next")],
        [
            CHUNKED[:-2] + H2C + b"\r\n1\r\nh\r\n",
            b"1\r\ni\r\n0\r\n\r\n" + posted(b"next"),
        ],
    ],
    ids=["one by one", "together", "body later", "head in two", "chunked"],
)
def test_the_body_of_a_request_that_offers_an_upgrade_is_read(chunks: list[bytes]) -> None:
    """Java's HttpClient, and with it the Java SDK, offers h2c with the first request."""

    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            for chunk in chunks:
                client.send(chunk)
                await asyncio.sleep(0.02)

            assert [(await client.answer()).body for _ in range(2)] == [b"ok hi", b"ok next"]
            assert lanes.post.came[0].head.headers[b"upgrade"] == b"h2c"

    run(story())
