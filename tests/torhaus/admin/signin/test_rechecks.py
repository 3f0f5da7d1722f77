import asyncio
from collections.abc import Mapping
from pathlib import Path

from tests.torhaus.admin.hall import Hall
from tests.torhaus.admin.signin.directories import ISSUER, living, roles, signed_in
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.rechecks import Rechecks
from torhaus.model.signin import Rechecking, SignInError


class Directory:
    """Says what the test wants, and remembers whom it was asked about."""

    name, issuer, interval = "corp", ISSUER, 900.0

    def __init__(self, groups: tuple[str, ...] | None = ("devs",)) -> None:
        self.groups = groups
        self.asked: list[str] = []
        self.down = False

    async def still(self, subject: str) -> tuple[str, ...] | None:
        self.asked.append(subject)
        if self.down:
            raise SignInError("Corp cannot be asked right now", "down")
        return self.groups


def checking(at: Hall, directory: Directory) -> Rechecks:
    return Rechecks(at.means, at.admin, lambda: {"corp": directory})


def test_somebody_is_asked_about_every_quarter_of_an_hour(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await signed_in(at)
        directory = Directory()
        checks = checking(at, directory)
        for seconds, asked in ((0, 0), (899, 0), (1, 1), (899, 1), (1, 2)):
            at.clock.turn(seconds)
            await checks.walk()
            assert len(directory.asked) == asked

        assert at.ends() == []
        assert await living(at) == ["client", "session"]

    play(tmp_path, story)


def test_what_has_changed_counts(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await signed_in(at)
        directory = Directory(("leads",))
        checks = checking(at, directory)
        at.clock.turn(900)
        await checks.walk()
        assert await roles(at) == ("tech_lead",)

        directory.groups = None
        at.clock.turn(900)
        await checks.walk()
        assert await living(at) == []

        at.clock.turn(900)
        await checks.walk()
        assert len(directory.asked) == 2

    play(tmp_path, story)


def test_a_directory_that_is_down_ends_nothing_and_is_asked_again(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await signed_in(at)
        directory = Directory(None)
        directory.down = True
        checks = checking(at, directory)
        at.clock.turn(900)
        await checks.walk()
        assert await living(at) == ["client", "session"]

        directory.down = False
        at.clock.turn(30)
        await checks.walk()
        assert await living(at) == []

    play(tmp_path, story)


def test_a_fault_of_ours_does_not_end_the_asking(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        looked: asyncio.Queue[None] = asyncio.Queue()

        def broken() -> Mapping[str, Rechecking]:
            looked.put_nowait(None)
            raise RuntimeError("a bug")

        checks = Rechecks(at.means, at.admin, broken)
        running = asyncio.create_task(checks.run())
        for _ in range(2):
            checks.ask()
            await asyncio.wait_for(looked.get(), 60)
        await asyncio.sleep(0)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    play(tmp_path, story)


def test_other_ways_in_are_nobodys_business(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await signed_in(at)
        directory = Directory()
        directory.issuer = "ldap:other"
        at.clock.turn(900)
        await checking(at, directory).walk()
        assert directory.asked == []

    play(tmp_path, story)
