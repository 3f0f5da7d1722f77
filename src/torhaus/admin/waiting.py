"""Callers who wait until a request for approval is decided."""

import asyncio

Wakers = set["asyncio.Future[None]"]


class Waiting:
    """Futures by approval. Owned by one event loop; may be awaited from a drive."""

    def __init__(self) -> None:
        self._wakers: dict[str, Wakers] = {}

    def ids(self) -> list[str]:
        return list(self._wakers)

    def begin(self, id: str) -> "asyncio.Future[None]":
        """Done by `wake`. To be given back to `end`."""
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._wakers.setdefault(id, set()).add(waker)
        return waker

    def end(self, id: str, waker: "asyncio.Future[None]") -> None:
        wakers = self._wakers.get(id)
        if wakers is None:
            return
        wakers.discard(waker)
        if not wakers:
            del self._wakers[id]

    def wake(self, id: str) -> None:
        for waker in self._wakers.get(id, ()):
            ring(waker)


def ring(waker: "asyncio.Future[None]") -> None:
    if not waker.done():
        waker.set_result(None)
