"""The configuration file, watched: a new version is built beside the old and swapped in."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import structlog

from torhaus.config.load import Loaded, Stamp, stamp
from torhaus.config.problems import ConfigError
from torhaus.config.settings import restart_needed

log = structlog.get_logger()

EVERY = 0.5
"""Seconds between looks at the file."""
LOOK = 10.0


class Reload:
    """`read` loads the file; `swap` puts a new version in force. Owned by one event loop.

    `refused` is told of versions that are not put in force. `stale`: whether what the file points
    to has changed; it may take a while, and is asked every `LOOK` seconds in a thread.
    """

    def __init__(
        self,
        path: Path,
        current: Loaded,
        read: Callable[[], Loaded],
        swap: Callable[[Loaded], None],
        refused: Callable[[ConfigError], None] = lambda _error: None,
        stale: Callable[[], bool] = lambda: False,
    ) -> None:
        self._stale = stale
        self._path = path
        self._settings = current.settings
        self._read = read
        self._swap = swap
        self._refused = refused
        self._seen = current.stamp or self._stamp()
        self._asked = asyncio.Event()
        self.trouble: str | None = None

    def ask(self) -> None:
        """Reload even though the file looks the same (SIGHUP: the environment's files changed)."""
        self._asked.set()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                async with asyncio.timeout(EVERY):
                    await self._asked.wait()
            except TimeoutError:
                stamp = self._stamp()
                if stamp == self._seen or stamp is None:
                    continue
                await asyncio.sleep(0.05)  # editors write in several steps
            self._asked.clear()
            self._seen = self._stamp()
            try:
                await self.reload()
            except Exception as error:  # the last line: a bug must not end the watching
                self.trouble = "it could not be put in force; the log knows more"
                log.error("config.reload.failed", file=str(self._path), exc_info=error)

    async def follow(self) -> None:
        """Until cancelled: reload when a secret that others keep is another one."""
        while True:
            await asyncio.sleep(LOOK)
            await self.look()

    async def look(self) -> None:
        """Once."""
        try:
            if await asyncio.to_thread(self._stale):
                log.info("config.references.changed")
                self.ask()
        except Exception as error:  # the last line, as above
            log.error("config.references.failed", exc_info=error)

    async def reload(self) -> bool:
        """Read the file now. An invalid one is refused and the old version stays in force.

        A thread reads it: thousands of users take a second, and calls must not wait for that.
        """
        try:
            loaded = await asyncio.to_thread(self._read)
        except ConfigError as error:
            self.trouble = str(error)
            log.error("config.refused", file=str(self._path), problems=self.trouble)
            self._refused(error)
            return False
        self.trouble = None
        needs = restart_needed(self._settings, loaded.settings)
        self._swap(loaded)
        log.info("config.reloaded", version=loaded.rules.version, after_restart=needs or None)
        for warning in loaded.warnings:
            log.warning("config.warning", warning=str(warning))
        return True

    def _stamp(self) -> Stamp | None:
        try:
            return stamp(self._path.stat())
        except OSError:
            return None  # between delete and rename of an editor's save
