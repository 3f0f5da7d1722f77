"""Listening streams a story speaks to, and calls that wait to be resumed on them."""

import asyncio

import pytest

from tests.torhaus.cast import World
from tests.torhaus.witnesses import Window
from torhaus.model.outcome import Answer
from torhaus.model.ports import Detached, Sink
from torhaus.model.session import Session


class Stream:
    """A listening stream of the server, spoken to by the story."""

    def __init__(self, world: World) -> None:
        self._opened: asyncio.Future[Sink] = asyncio.get_running_loop().create_future()
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        world.upstream.listening = self._listen

    async def _listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        sink.opened()
        self._opened.set_result(sink)
        await self._end

    async def opened(self) -> Sink:
        return await self._opened

    def end(self) -> None:
        self._end.set_result(None)


def listening(
    world: World, session: Session, front: Window, last: str | None = None
) -> "asyncio.Task[None]":
    return asyncio.ensure_future(
        world.talk.listen(world.server, session, world.person(session), last, front)
    )


async def detached(world: World, session: Session, method: str = "tools/call") -> None:
    """A call whose stream ended before its answer."""
    world.upstream.fails(Detached("to be resumed"))
    if method == "tools/list":
        world.upstream.script = _detach
    with pytest.raises(Detached):
        await world.admit(world.asking(method, {"name": "list_issues"}, session=session))


async def _detach(ask: object, sink: Sink) -> Answer:
    raise Detached("to be resumed")
