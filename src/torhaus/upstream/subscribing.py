"""Which resources a session with a server hears of: each is subscribed to once, for all listeners.

Stateless callers share a session. The first who wants to hear of a resource has the server told,
and the last who leaves has it told again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from torhaus.mcp.message import encode
from torhaus.mcp.versions import LATEST_LEGACY
from torhaus.model.ports import Ask, Notice, UpstreamError
from torhaus.model.servers import Era
from torhaus.model.session import Session

SUBSCRIBE, UNSUBSCRIBE = "resources/subscribe", "resources/unsubscribe"
PATIENCE = 10.0
"""Seconds a server has to take one wish."""

Tell = Callable[[str, str], Awaitable[bool]]
"""Tells the server: method and URI; whether it took it. Raises UpstreamError."""


class _Wanted:
    """One resource. `task` tells the server; `count`: who wants to hear of it."""

    __slots__ = ("count", "task")

    def __init__(self, task: "asyncio.Task[bool]") -> None:
        self.count = 0
        self.task = task


def ours() -> Session:
    """A session that stands for all stateless callers of one process or connection."""
    return Session(
        token="",
        jti="subscriptions",
        server="",
        principal="",
        version=LATEST_LEGACY,
        capabilities=b"{}",
        client_info=b"",
        created=0.0,
        expires=float("inf"),
    )


def wish(method: str, uri: str, session: Session, own_id: bytes) -> Ask:
    """The request that tells the server so."""
    return Ask(
        method=method,
        id=own_id,
        params=encode({"uri": uri}),
        era=Era.LEGACY,
        principal=session.principal,
        session=session,
        timeout=PATIENCE,
    )


class Deaf:
    """A sink for such requests: nobody listens."""

    throttle: Callable[[bool], None] | None = None

    def opened(self) -> None:
        """Nothing to do."""

    def notice(self, notice: Notice) -> None:
        """Nothing to do."""


class Subscribing:
    """Owned by one event loop."""

    def __init__(self, tell: Tell) -> None:
        self._tell = tell
        self._wanted: dict[str, _Wanted] = {}
        self._leaving: dict[str, asyncio.Task[bool]] = {}

    def __len__(self) -> int:
        return len(self._wanted)

    async def join(self, uris: frozenset[str]) -> frozenset[str]:
        """Returns those that the server tells of, which are to be left again."""
        for uri in uris:
            self._want(uri)
        tasks = {uri: self._wanted[uri].task for uri in sorted(uris)}
        try:
            await asyncio.gather(*(asyncio.shield(each) for each in tasks.values()))
        except asyncio.CancelledError:
            self.leave(uris)
            raise
        taken = frozenset(uri for uri, task in tasks.items() if task.result())
        self.leave(uris - taken)
        return taken

    def _want(self, uri: str) -> None:
        wanted = self._wanted.get(uri)
        if wanted is None:
            work = self._told(SUBSCRIBE, uri, self._leaving.get(uri))
            wanted = self._wanted[uri] = _Wanted(asyncio.get_running_loop().create_task(work))
        wanted.count += 1

    def leave(self, uris: frozenset[str]) -> None:
        """Nobody waits until the server knows."""
        for uri in uris:
            wanted = self._wanted[uri]
            wanted.count -= 1
            if not wanted.count:
                del self._wanted[uri]
                work = self._told(UNSUBSCRIBE, uri, wanted.task)
                task = self._leaving[uri] = asyncio.get_running_loop().create_task(work)
                task.add_done_callback(partial(self._left, uri))

    def _left(self, uri: str, task: "asyncio.Task[bool]") -> None:
        if self._leaving.get(uri) is task:
            del self._leaving[uri]

    async def _told(self, method: str, uri: str, before: "asyncio.Task[bool] | None") -> bool:
        """In the order in which they were wished: the server keeps the last word it hears."""
        if before is not None:
            await asyncio.wait([before])
            if method == UNSUBSCRIBE and (before.cancelled() or not before.result()):
                return False  # it never took the subscription
        try:
            return await self._tell(method, uri)
        except UpstreamError:
            return False

    async def left(self) -> None:
        """Wait until the server knows whatever it has to be told."""
        while self._leaving:
            await asyncio.wait(self._leaving.values())

    async def end(self) -> None:
        """Stop telling the server."""
        tasks = [*(each.task for each in self._wanted.values()), *self._leaving.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
