import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from structlog.testing import capture_logs

from tests.torhaus.cast import NOW, run
from torhaus.model.announcement import Announcement, Kind
from torhaus.watch.announcer import MOST, Announcer, LogNotifier

NEWS = Announcement(
    kind=Kind.APPROVAL_REQUESTED,
    text="Alice asks for approval.",
    at=NOW,
    to=("bob@example.org",),
    facts={"approval": "a1"},
    link="https://gw.example.org/approvals/a1?t=secret",
)


class Ear:
    """Hears everything, when it is let."""

    def __init__(self) -> None:
        self.heard: list[Announcement] = []
        self.open = asyncio.Event()
        self.open.set()

    async def tell(self, announcement: Announcement) -> None:
        await self.open.wait()
        self.heard.append(announcement)


class Broken:
    async def tell(self, announcement: Announcement) -> None:
        raise ZeroDivisionError


@asynccontextmanager
async def running(announcer: Announcer) -> AsyncIterator[None]:
    task = asyncio.create_task(announcer.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def test_every_notifier_is_told() -> None:
    async def story() -> None:
        one, other = Ear(), Ear()
        announcer = Announcer(lambda: (one, other))

        async with running(announcer):
            announcer.announce(NEWS)
            await announcer.drain()

        assert one.heard == other.heard == [NEWS]
        assert announcer.counts == {"taken": 1}

    run(story())


def test_one_that_is_broken_does_not_keep_the_others_from_hearing() -> None:
    async def story() -> None:
        ear = Ear()
        announcer = Announcer(lambda: (Broken(), ear))

        with capture_logs():
            async with running(announcer):
                announcer.announce(NEWS)
                announcer.announce(NEWS)
                await announcer.drain()

        assert len(ear.heard) == 2
        assert announcer.counts == {"failed": 2, "taken": 2}

    run(story())


def test_with_a_channel_that_hangs_the_newest_are_dropped_and_counted() -> None:
    async def story() -> None:
        ear = Ear()
        ear.open.clear()
        announcer = Announcer(lambda: (ear,))

        with capture_logs():
            async with running(announcer):
                announcer.announce(NEWS)
                await asyncio.sleep(0)
                for _ in range(MOST + 3):
                    announcer.announce(NEWS)
                ear.open.set()
                await announcer.drain()

        assert len(ear.heard) == MOST + 1
        assert announcer.counts["dropped"] == 3

    run(story())


def test_the_log_never_holds_a_link() -> None:
    async def story() -> None:
        with capture_logs() as logged:
            await LogNotifier().tell(NEWS)

        assert logged == [
            {
                "event": "approval.requested",
                "text": NEWS.text,
                "approval": "a1",
                "log_level": "info",
            }
        ]

    run(story())
