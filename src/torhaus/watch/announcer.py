"""Brings news to people through every notifier, beside the calls and never in their way."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

import structlog

from torhaus.model.announcement import Announcement
from torhaus.model.ports import Notifier

log = structlog.get_logger()

MOST = 500
"""Announcements that can wait; with a channel that is down, the newest are dropped."""


class Announcer:
    """`notifiers`: those in force now. `counts`: what became of announcements, by one word.

    Fails soft: a channel that is down costs an announcement, never a call.
    """

    def __init__(self, notifiers: Callable[[], Sequence[Notifier]]) -> None:
        self._notifiers = notifiers
        self._queue: asyncio.Queue[Announcement] = asyncio.Queue(MOST)
        self.counts: Counter[str] = Counter()

    def announce(self, announcement: Announcement) -> None:
        """Take it to be told; returns at once."""
        try:
            self._queue.put_nowait(announcement)
        except asyncio.QueueFull:
            self.counts["dropped"] += 1
            log.warning("notice.dropped", kind=announcement.kind.value)

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._tell(await self._queue.get())
            self._queue.task_done()

    async def drain(self) -> None:
        """Wait until everything taken so far was told or given up."""
        await self._queue.join()

    async def _tell(self, announcement: Announcement) -> None:
        results = await asyncio.gather(
            *(each.tell(announcement) for each in self._notifiers()), return_exceptions=True
        )
        for result in results:
            if isinstance(result, Exception):  # a bug of a notifier must not end the telling
                self.counts["failed"] += 1
                log.error("notice.bug", kind=announcement.kind.value, exc_info=result)
        self.counts["taken"] += 1


class LogNotifier:
    """Writes news into the log, without its link: whoever holds that may see the call."""

    async def tell(self, announcement: Announcement) -> None:
        log.info(announcement.kind.value, text=announcement.text, **announcement.facts)
