"""Too large, too many, or to be read in two ways: refused, with an answer that arrives."""

import asyncio
import time

import pytest

from tests.torhaus.edge.lanes import CHUNKED, HOST, MAX_BODY, listening, posted, run


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


@pytest.mark.parametrize("way", ["length", "chunks", "expect"])
def test_a_stranger_is_turned_away_before_his_body_has_come(way: str) -> None:
    async def story() -> None:
        async with listening(max_body=10_000_000) as lanes:
            client = await lanes.connect()
            stranger = b"stranger: yes\r\n"

            if way == "chunks":
                client.send(CHUNKED[:-2] + stranger + b"\r\n1d4c0\r\n" + b"x" * 120_000)
            elif way == "length":
                client.send(posted(b"x" * 5_000_000, headers=stranger)[:120_000])
            else:
                whole = posted(b"x" * 10, headers=stranger + b"expect: 100-continue\r\n")
                client.send(whole[:-10])

            answer = await client.answer()
            assert answer.status == 401
            assert answer.headers[b"connection"] == b"close"
            assert lanes.post.came == []

    run(story())


def test_a_known_caller_is_looked_at_once_and_sends_what_he_likes() -> None:
    async def story() -> None:
        async with listening(max_body=10_000_000) as lanes:
            client = await lanes.connect()
            body = b"x" * 1_000_000

            client.send(posted(body))

            assert (await client.answer()).body == b"ok " + body
            client.send(posted(b"2"))
            assert (await client.answer()).body == b"ok 2"

    run(story())
