"""The HTTP connection, on a real socket."""

import asyncio
import time

import pytest

from tests.torhaus.edge.lanes import HOST, MAX_BODY, Lanes, asked, listening, posted, run

CHUNKED = b"POST /mcp/x HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"


# -- what is ours and what is not -------------------------------------------------------------


@pytest.mark.parametrize("target", [b"/mcp", b"/mcp/", b"/mcp/x", b"/mcp?a=b", b"/mcp/x?a=b"])
def test_mcp_paths_come_to_the_door(target: bytes) -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(posted(b"1", target))

            assert (await client.answer()).body == b"ok 1"
            assert lanes.post.came[0].head.target == target

    run(story())


@pytest.mark.parametrize(
    "target", [b"/mcpx", b"/MCP/x", b"/", b"/health", b"//mcp/x", b"http://localhost/health"]
)
def test_every_other_path_is_a_page(target: bytes) -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(asked(target))

            assert (await client.answer()).body.startswith(b"page /")
            assert lanes.post.came == []

    run(story())


def test_a_request_may_come_byte_by_byte() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            for byte in posted(b"slowly"):
                client.send(bytes([byte]))
                await asyncio.sleep(0.0005)

            assert (await client.answer()).body == b"ok slowly"

    run(story())


def test_names_are_lower_case_and_white_space_is_not_part_of_a_value() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(posted(b"", headers=b"ApiKey: \t k e y \t \r\n"))

            await client.answer()
            assert lanes.post.came[0].head.headers[b"apikey"] == b"k e y"

    run(story())


def test_a_header_that_stands_twice_is_told_and_the_first_counts() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(posted(b"", headers=b"x-a: 1\r\nX-A: 2\r\n"))

            await client.answer()
            assert lanes.post.came[0].head.headers[b"x-a"] == b"1"
            assert lanes.post.came[0].head.twice == [b"x-a"]

    run(story())


def test_an_accept_header_in_two_lines_is_one_list() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(
                posted(b"", headers=b"accept: application/json\r\naccept: text/event-stream\r\n")
            )

            await client.answer()
            accepted = lanes.post.came[0].head.headers[b"accept"]
            assert accepted == b"application/json, text/event-stream"

    run(story())


def test_trailers_are_not_headers() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(CHUNKED + b"2\r\nhi\r\n0\r\nApikey: stolen\r\nHost: evil\r\n\r\n")

            assert (await client.answer()).body == b"ok hi"
            assert b"apikey" not in lanes.post.came[0].head.headers
            assert lanes.post.came[0].head.twice is None

    run(story())


# -- heads that come again --------------------------------------------------------------------


def test_a_head_that_comes_again_means_the_same_with_its_own_body() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            for body in (b"1", b"22", b"", b"4"):
                client.send(posted(body, headers=b"apikey: alice\r\n"))
                assert (await client.answer()).body == b"ok " + body

            assert len({id(each.head) for each in lanes.post.came}) == 1

    run(story())


ALICE = b"apikey: alice\r\n"


@pytest.mark.parametrize(
    "chunks",
    [
        [posted(b"hi", headers=ALICE) + posted(b"hi")],
        [posted(b"hi") + posted(b"hi", headers=ALICE)],
        [posted(b"hi", headers=ALICE + b"x: ")[:-6], posted(b"hi")],
        [b"POST /mcp/x HTTP/1.1\r\n" + HOST + ALICE + b"x: ", posted(b"hi")],
        [b"\r\n", posted(b"hi", headers=ALICE)[:-1], b"i" + posted(b"hi")],
        [posted(posted(b"hi"), headers=ALICE)],
        [posted(posted(b"hi"), headers=ALICE)[: -len(posted(b"hi"))], posted(b"hi")],
    ],
)
def test_a_head_is_never_remembered_under_the_bytes_of_another(chunks: list[bytes]) -> None:
    """Who could, would let others act in his name, with headers they never sent."""

    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            for chunk in chunks:
                client.send(chunk)
                await asyncio.sleep(0.02)

            other = await lanes.connect()
            other.send(posted(b"mine"))
            await other.answer()

            exchange = lanes.post.came[-1]
            assert exchange.body == b"mine"
            assert b"apikey" not in exchange.head.headers

    run(story())


def test_a_known_head_does_not_overtake_what_is_still_to_be_answered() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"0"))
            await client.answer()
            client.send(asked(b"/slow"))
            await asyncio.sleep(0.02)

            client.send(posted(b"1"))

            assert (await client.answer()).body == b"page /slow"
            assert (await client.answer()).body == b"ok 1"

    run(story())


# -- one answer after the other ---------------------------------------------------------------


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


# -- too much ---------------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["length", "chunks"])
def test_a_body_of_exactly_the_limit_is_taken(way: str) -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            body = b"x" * MAX_BODY

            client.send(
                posted(body)
                if way == "length"
                else CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (MAX_BODY, body)
            )

            assert (await client.answer()).body == b"ok " + body

    run(story())


@pytest.mark.parametrize("way", ["length", "chunks"])
def test_the_client_of_a_huge_body_receives_its_413(way: str) -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            size = 4_000_000

            if way == "length":
                client.send(posted(b"x" * size))
            else:
                chunk = b"2710\r\n%b\r\n" % (b"x" * 10_000)
                client.send(CHUNKED + chunk * (size // 10_000) + b"0\r\n\r\n")
            await client.writer.drain()

            answer = await client.answer()
            assert answer.status == 413
            assert b"server.max_body" in answer.body
            assert answer.headers[b"connection"] == b"close"
            assert await client.ended() == b""
            assert lanes.post.came == []

    run(story())


def test_an_endless_header_is_refused() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(b"POST /mcp/x HTTP/1.1\r\nx-long: ")
            for _ in range(40):
                client.send(b"x" * 10_000)
                await asyncio.sleep(0)

            assert (await client.answer()).status == 431
            assert lanes.post.came == []

    run(story())


def test_ten_thousand_headers_are_refused() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(posted(b"", headers=b"".join(b"h%d: v\r\n" % n for n in range(10_000))))

            assert (await client.answer()).status == 431
            assert lanes.post.came == []

    run(story())


def test_many_equal_headers_cost_no_more_than_others() -> None:
    """They once cost the square of their number: one connection could hold up everybody."""

    async def story() -> None:
        async with listening() as lanes:
            lane_of = await lanes.connect()
            lane_of.send(posted(b""))
            await lane_of.answer()
            lane = lanes.lanes[0]
            data = posted(b"", headers=b"a: b\r\n" * 40_000)

            began = time.process_time()
            lane.data_received(data)

            assert time.process_time() - began < 0.5

    run(story())


def test_endless_trailers_are_refused() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(CHUNKED + b"0\r\nx-long: ")
            for _ in range(40):
                client.send(b"x" * 10_000)
                await asyncio.sleep(0)

            assert (await client.answer()).status == 431
            assert lanes.post.came == []

    run(story())


@pytest.mark.parametrize(
    "head",
    [
        b"content-length: 2\r\ntransfer-encoding: chunked\r\n",
        b"transfer-encoding: chunked\r\ncontent-length: 2\r\n",
        b"content-length: 2\r\ncontent-length: 3\r\n",
        b"content-length: 2\r\ncontent-length: 2\r\n",
        b"content-length: +2\r\n",
        b"content-length: 0x2\r\n",
        b"content-length: 2, 2\r\n",
        b"transfer-encoding: xchunked\r\n",
        b"transfer-encoding: chunked, identity\r\n",
        b"content-length: 2\r\nx: a\r\n b\r\n",
        b"content-length : 2\r\n",
        b"content-length: 2\nx: y\r\n",
        b"content-length: 2\r\nx: a\rb\r\n",
        b"content-length: 2\r\nx: a\0b\r\n",
        b"content-length: 2\r\n: nameless\r\n",
    ],
)
def test_what_two_readers_could_read_differently_is_refused(head: bytes) -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()

            client.send(b"POST /mcp/x HTTP/1.1\r\n" + HOST + head + b"\r\n{}" + posted(b"smuggled"))

            assert (await client.answer()).status == 400
            await client.ended()
            assert all(b"smuggled" not in each.body for each in lanes.post.came)

    run(story())


# -- the connection ---------------------------------------------------------------------------


def test_a_client_that_hangs_up_is_told_to_its_exchange() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"hold"))
            exchange = await lanes.came()
            told = asyncio.Event()
            exchange.on_gone = told.set

            client.close()

            await told.wait()
            assert exchange.gone
            exchange.json(200, b"too late")

    run(story())


def test_a_reader_that_does_not_read_throttles_what_writes() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"hold"))
            exchange = await lanes.came()
            throttled: list[bool] = []
            exchange.throttle = throttled.append

            sent = 0
            while not throttled:
                exchange.event(b"x" * 50_000)
                sent += 50_000
                await asyncio.sleep(0)
                assert sent < 100_000_000
            await client.head()
            async for _ in client.chunks():
                if throttled[-1] is False:
                    break

            assert throttled[0] is True

    run(story())


def test_shutting_down_closes_what_is_idle() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"1"))
            await client.answer()

            lanes.lanes[0].shutdown()

            assert await client.ended() == b""

    run(story())


def test_shutting_down_waits_for_the_answer_under_way() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"hold"))
            exchange = await lanes.came()

            lanes.lanes[0].shutdown()
            exchange.json(200, b"done")

            assert (await client.answer()).body == b"done"
            assert await client.ended() == b""

    run(story())


def test_shutting_down_asks_a_stream_to_end() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"hold"))
            exchange = await lanes.came()
            exchange.opened()
            exchange.on_drain = exchange.end

            lanes.lanes[0].shutdown()

            assert (await client.answer()).body == b":\n\n"
            assert await client.ended() == b""

    run(story())


# -- time -------------------------------------------------------------------------------------


async def quiet(lanes: Lanes) -> bool:
    """Whether the one connection is closing."""
    await asyncio.sleep(0.02)
    return lanes.lanes[0].transport.is_closing()


def tick(lanes: Lanes, after: float) -> None:
    lanes.lanes[0].tick(asyncio.get_running_loop().time() + after, idle=75.0, slow=30.0)


def test_an_idle_connection_is_closed_after_a_while() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"1"))
            await client.answer()

            tick(lanes, 60.0)
            assert not await quiet(lanes)
            tick(lanes, 76.0)
            assert await quiet(lanes)

    run(story())


def test_a_request_that_drips_is_closed() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(b"POST /mcp/x HTTP/1.1\r\nx-slow: ")
            await asyncio.sleep(0.02)

            tick(lanes, 0.0)
            client.send(b"x")
            tick(lanes, 29.0)
            assert not await quiet(lanes)
            tick(lanes, 31.0)

            assert await quiet(lanes)

    run(story())


def test_a_slow_request_on_an_old_connection_has_its_own_time() -> None:
    """The time before it began is not its own."""

    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"1"))
            await client.answer()
            client.send(posted(b"22")[:-1])
            await asyncio.sleep(0.02)

            tick(lanes, 60.0)

            assert not await quiet(lanes)
            client.send(b"2")
            assert (await client.answer()).body == b"ok 22"

    run(story())


def test_a_connection_that_asks_for_pages_is_idle_in_between() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(asked(b"/health"))
            await client.answer()
            await asyncio.sleep(0.02)

            tick(lanes, 100.0)
            tick(lanes, 140.0)

            assert not await quiet(lanes)  # uvicorn counts from its last answer

    run(story())


def test_a_stream_gets_a_sign_of_life() -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            client.send(posted(b"hold"))
            exchange = await lanes.came()
            exchange.event(b"{}")

            tick(lanes, 15.0)
            exchange.end()

            assert (await client.answer()).body == b"event: message\ndata: {}\n\n:\n\n"

    run(story())
