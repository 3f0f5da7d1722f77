import asyncio
from typing import Any

import pytest
from hiredis import ReplyError

from tests.torhaus.store.redis.valkeys import Valkey, play
from torhaus.store.redis.wire import Unreachable, Wire


class Ending(asyncio.Event):
    """Set by the end of a wire; counts how often that is told."""

    def __init__(self) -> None:
        super().__init__()
        self.wires: list[Wire] = []

    def __call__(self, wire: Wire) -> None:
        self.wires.append(wire)
        self.set()


async def opened(where: tuple[str, int], timeout: float = 2.0, **more: Any) -> Wire:
    ended = more.get("ended", lambda wire: None)
    pushed = more.get("pushed", lambda message: None)
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(lambda: Wire(timeout, ended, pushed), *where)
    return wire


def test_whatever_is_asked_in_one_turn_is_answered_in_order(server: Valkey) -> None:
    async def story() -> None:
        wire = await opened(server.address)

        replies = await asyncio.gather(*(wire.call("ECHO", f"{n}") for n in range(1000)))

        assert replies == [b"%d" % n for n in range(1000)]
        wire.close()

    play(story)


def test_a_complaint_reaches_whoever_asked_and_nobody_else(server: Valkey) -> None:
    async def story() -> None:
        wire = await opened(server.address)

        good, bad, after = wire.call("ECHO", "a"), wire.call("NONSENSE"), wire.call("ECHO", "b")

        assert await good == b"a"
        with pytest.raises(ReplyError, match="NONSENSE"):
            await bad
        assert await after == b"b"
        wire.close()

    play(story)


def test_a_caller_who_leaves_keeps_the_place_of_his_reply(server: Valkey) -> None:
    async def story() -> None:
        wire = await opened(server.address)

        asked = [wire.call("ECHO", f"{n}") for n in range(10)]
        asked[3].cancel()
        wire.tell("ECHO", "nobody")
        asked.append(wire.call("ECHO", "last"))

        kept = [each for each in asked if not each.cancelled()]
        assert await asyncio.gather(*kept) == [b"%d" % n for n in range(10) if n != 3] + [b"last"]
        wire.close()

    play(story)


def test_a_silent_server_is_answered_for_in_time_and_then_given_up(own: Valkey) -> None:
    async def story() -> None:
        ended = Ending()
        wire = await opened(own.address, 1.0, ended=ended)
        await wire.call("PING")
        own.pause()
        loop = asyncio.get_running_loop()

        began = loop.time()
        with pytest.raises(Unreachable, match="too long"):
            await wire.call("PING")
        assert 0.9 < loop.time() - began < 20.0

        await ended.wait()
        assert loop.time() - began < 30.0
        assert not wire.open
        with pytest.raises(Unreachable, match="closed"):
            await wire.call("PING")
        own.resume()

    play(story)


def test_late_replies_are_nobody_elses(own: Valkey) -> None:
    async def story() -> None:
        wire = await opened(own.address, 2.0)
        own.pause()
        with pytest.raises(Unreachable):
            await wire.call("ECHO", "late")
        asked = wire.call("ECHO", "next")
        own.resume()

        assert await asked == b"next"
        assert await wire.call("ECHO", "after") == b"after"
        wire.close()

    play(story)


def test_a_lost_connection_ends_all_questions_and_says_so_once(own: Valkey) -> None:
    async def story() -> None:
        ended = Ending()
        wire = await opened(own.address, ended=ended)
        own.pause()
        asked = [wire.call("PING") for _ in range(5)]
        await asyncio.sleep(0)
        own.kill()

        found = await asyncio.gather(*asked, return_exceptions=True)

        assert [type(each) for each in found] == [Unreachable] * 5
        assert ended.wires == [wire]
        wire.close()
        assert ended.wires == [wire]

    play(story)


@pytest.mark.parametrize("said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"+OK\r\n+OK\r\n"])
def test_a_server_that_talks_out_of_turn_is_left(said: bytes) -> None:
    async def story() -> None:
        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(100)
            writer.write(said)
            await reader.read()
            writer.close()

        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        async with server:
            ended = Ending()
            wire = await opened(server.sockets[0].getsockname(), ended=ended)
            asked = wire.call("PING")

            assert await asyncio.gather(asked, return_exceptions=True)
            await ended.wait()
            assert not wire.open

    play(story)


def test_messages_come_beside_replies_and_a_refused_channel_mixes_up_nothing(own: Valkey) -> None:
    async def story() -> None:
        heard: list[Any] = []
        wire = await opened(own.address, pushed=heard.append)
        await wire.call("ACL", "SETUSER", "deaf", "on", ">pw", "+@all", "resetchannels", "&a*")
        await wire.call("HELLO", "3", "AUTH", "deaf", "pw")

        asked = [
            wire.call("SUBSCRIBE", "a1"),
            wire.call("SUBSCRIBE", "b"),
            wire.call("PUBLISH", "a1", "x"),
            wire.call("ECHO", "e"),
        ]
        found = await asyncio.gather(*asked, return_exceptions=True)

        assert found[0] == [b"subscribe", b"a1", 1]
        assert isinstance(found[1], ReplyError)
        assert found[2:] == [1, b"e"]
        assert heard == [[b"message", b"a1", b"x"]]
        wire.close()

    play(story)
