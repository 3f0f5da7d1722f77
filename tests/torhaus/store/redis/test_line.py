import asyncio
from collections.abc import Callable

import pytest

from tests.torhaus.store.redis.valkeys import Valkey, play, until
from torhaus.store.redis.dial import Address, dial
from torhaus.store.redis.line import Line
from torhaus.store.redis.wire import Unreachable, Wire


class Laid:
    """A line to a server, and what was told of it."""

    def __init__(self, server: Valkey, *, refuse: int = 0) -> None:
        self.opened = self.lost = 0
        self._refuse = refuse
        self._server = server
        self.line = Line(self._find, self._lay, self._open, self._lose)

    async def _find(self) -> Address:
        return self._server.address

    async def _lay(self, where: Address, ended: Callable[[Wire], None]) -> Wire:
        return await dial(where, None, None, lambda: Wire(10.0, ended, print), 10.0)

    async def _open(self, wire: Wire) -> None:
        self.opened += 1
        if self.opened <= self._refuse:
            raise Unreachable("not yet")

    def _lose(self) -> None:
        self.lost += 1

    async def up(self) -> bool:
        return self.line.wire is not None

    async def down(self) -> bool:
        return self.line.wire is None


def test_a_line_is_laid_again_when_it_breaks(own: Valkey) -> None:
    async def story() -> None:
        laid = Laid(own)
        with pytest.raises(Unreachable):
            laid.line.ready()
        assert await laid.line.first(60.0)
        assert await laid.line.ready().call("PING") == b"PONG"

        own.kill()
        await until(laid.down)
        with pytest.raises(Unreachable):
            laid.line.ready()
        own.start()
        await until(laid.up)

        assert await laid.line.ready().call("PING") == b"PONG"
        assert (laid.opened, laid.lost) == (2, 1)
        await laid.line.close()
        assert laid.line.wire is None

    play(story)


def test_nobody_uses_a_line_before_it_is_ready(own: Valkey) -> None:
    async def story() -> None:
        laid = Laid(own, refuse=2)

        assert await laid.line.first(60.0)

        assert (laid.opened, laid.lost) == (3, 0)
        await laid.line.close()

    play(story)


def test_a_server_that_is_not_the_right_one_is_looked_for_again(server: Valkey) -> None:
    async def story() -> None:
        laid = Laid(server)
        await laid.line.first(60.0)

        laid.line.distrust()
        assert laid.lost == 1
        await until(laid.up)

        assert laid.opened == 2
        await laid.line.close()

    play(story)


def test_waiting_for_the_first_connection_has_an_end(own: Valkey) -> None:
    async def story() -> None:
        own.kill()
        laid = Laid(own)

        assert not await laid.line.first(0.2)

        await laid.line.close()
        await asyncio.sleep(0)

    play(story)


def test_a_lost_server_does_not_fill_the_log(
    own: Valkey, capsys: pytest.CaptureFixture[str]
) -> None:
    async def story() -> None:
        own.kill()
        laid = Laid(own)
        assert not await laid.line.first(1.0)
        await laid.line.close()

    play(story)
    assert capsys.readouterr().out.count("redis.unreachable") == 1
