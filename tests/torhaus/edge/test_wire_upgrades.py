"""Upgrades that are offered and never taken up: such requests stay HTTP/1.1 (RFC 9110 7.8)."""

import asyncio

import pytest

from tests.torhaus.edge.lanes import HOST, Lanes, asked, listening, posted, run

OFFER = b"connection: upgrade\r\nupgrade: h2c\r\n"


async def told(lanes: Lanes, data: bytes, answers: int = 1) -> list[bytes]:
    client = await lanes.connect()
    client.send(data)
    return [(await client.answer()).body for _ in range(answers)]


def test_a_request_without_a_body_keeps_its_head_and_what_comes_behind_it() -> None:
    async def story() -> None:
        async with listening() as lanes:
            first = posted(b"", headers=OFFER + b"apikey: mine\r\n")

            assert await told(lanes, first + posted(b"next"), 2) == [b"ok ", b"ok next"]
            assert lanes.post.came[0].head.headers[b"apikey"] == b"mine"
            assert lanes.post.came[0].head.headers[b"host"] == b"localhost"

    run(story())


@pytest.mark.parametrize("method", [b"GET", b"DELETE", b"PUT", b"CONNECT", b"POST"])
@pytest.mark.parametrize("body", [b"", b"body"])
def test_the_method_is_the_one_that_was_sent(method: bytes, body: bytes) -> None:
    async def story() -> None:
        async with listening() as lanes:
            data = method + posted(body, headers=OFFER).removeprefix(b"POST")

            assert await told(lanes, data) == [b"ok " + body]
            assert lanes.post.came[0].head.method == method

    run(story())


@pytest.mark.parametrize("split", [False, True])
def test_a_head_is_never_known_again_by_the_one_that_was_made_for_it(split: bool) -> None:
    async def story() -> None:
        async with listening() as lanes:
            client = await lanes.connect()
            data = posted(b"", headers=OFFER + b"apikey: mine\r\n")
            for part in (data[:-2], data[-2:]) if split else (data,):
                client.send(part)
                await asyncio.sleep(0.01)
            await client.answer()
            client.send(b"POST /mcp/x HTTP/1.1\r\ncontent-length: 2\r\n\r\nxx")
            await client.answer()

            assert lanes.post.came[1].head.headers == {b"content-length": b"2"}

    run(story())


def test_thousands_of_offers_in_one_packet_are_read_one_after_another() -> None:
    async def story() -> None:
        async with listening() as lanes:
            one = b"POST /mcp/x HTTP/1.1\r\n" + HOST + OFFER + b"\r\n"
            number = 3000

            assert await told(lanes, one * number, number) == [b"ok "] * number

    run(story())


@pytest.mark.parametrize("frame", [b"content-length: %d\r\n", b"transfer-encoding: chunked\r\n"])
def test_the_body_of_a_page_request_never_becomes_a_request(frame: bytes) -> None:
    async def story() -> None:
        async with listening() as lanes:
            inner = posted(b"smuggled")
            frame_line = frame % len(inner) if b"%d" in frame else frame
            client = await lanes.connect()

            client.send(asked(b"/page", frame_line + OFFER, b"POST") + inner)

            answer = await client.answer()
            assert answer.status == 400
            assert b"upgrade" in answer.body
            assert await client.ended() == b""
            assert lanes.post.came == []

    run(story())


def test_a_page_is_served_to_whoever_offers_an_upgrade() -> None:
    async def story() -> None:
        async with listening() as lanes:
            assert await told(lanes, asked(b"/page", OFFER)) == [b"page /page"]

    run(story())
