"""The files of `server.tls`, watched: new ones are shown to whoever connects next."""

import asyncio
import os
import ssl
from collections.abc import Awaitable, Callable

import structlog

from torhaus.config.certificates import context, unfit
from torhaus.model.tls import Shown

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two looks at the files."""

Stamp = tuple[tuple[int, int, int] | None, ...]


class Certificates:
    """`shown`: the files as configured now. `put`: serves with them from now on."""

    def __init__(
        self,
        shown: Callable[[], Shown | None],
        put: Callable[[ssl.SSLContext], Awaitable[None]],
        every: float = EVERY,
    ) -> None:
        self._shown = shown
        self._put = put
        self._every = every
        self._seen = self._look()
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Look now, even though the files look the same (SIGHUP)."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(self._every):
                    await self._asked.wait()
            except TimeoutError:
                now = self._look()
                if now == self._seen or not await self._settled(now):
                    continue
            self._asked.clear()
            self._seen = self._look()
            await self.renew()

    async def renew(self) -> None:
        """Files that cannot be used change nothing: those before are shown on."""
        shown = self._shown()
        if shown is None:
            return
        trouble = unfit(shown)
        if trouble is not None:
            log.error("tls.refused", reason=trouble[0], fix=trouble[1])
            return
        try:
            await self._put(context(shown))
        except (OSError, ValueError) as error:
            log.error("tls.refused", reason=str(error))
            return
        log.info("tls.renewed", cert=shown.cert)

    async def _settled(self, before: tuple[Shown | None, Stamp]) -> bool:
        """Certificate and key are two files: whoever renews them writes one after the other."""
        await asyncio.sleep(self._every / 4)
        return self._look() == before

    def _look(self) -> tuple[Shown | None, Stamp]:
        shown = self._shown()
        paths = () if shown is None else shown.paths
        return shown, tuple(_stamp(each) for each in paths)


def _stamp(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None  # between removal and renewal
    return found.st_mtime_ns, found.st_size, found.st_ino
