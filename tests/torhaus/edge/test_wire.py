"""The HTTP connection, on a real socket."""

import asyncio

import pytest

from tests.torhaus.edge.lanes import CHUNKED, HOST, Lanes, asked, listening, posted, run

# -- what is ours and what is not -------------------------------------------------------------

BIG = 8 * 1024 * 1024
"""Octets of an answer: more than fits into what is on the way to its reader."""


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


@pytest.mark.parametrize("at_once", [True, False], ids=["at once", "one by one"])
def test_nothing_is_carried_out_for_whoever_does_not_read_his_answers(at_once: bool) -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            lanes.post.held = lambda exchange: exchange.answer(200, b"x" * BIG) is None

            for number in range(12):
                client.send(posted(b"%d" % number))
                await asyncio.sleep(0 if at_once else 0.02)
            await asyncio.sleep(0.2)

            assert len(lanes.post.came) < 8
            for _ in range(12):
                assert len((await client.answer()).body) == BIG
            assert [each.body for each in lanes.post.came] == [b"%d" % n for n in range(12)]
            lanes.post.held = lambda exchange: False
            client.send(posted(b"on"))
            assert (await client.answer()).body == b"ok on"

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
