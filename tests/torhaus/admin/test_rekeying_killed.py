"""A gateway that is killed at any step of `secrets rekey` loses nothing, and the next goes on."""

import asyncio
import os
import signal
import stat
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.admin.hall import DANA, Hall, hall
from tests.torhaus.admin.ringed import Gateway, fill, kept, opened
from torhaus.admin.rekeying import Rekeyed
from torhaus.store.keyring import NAME

ROWS = 120
CANARIES = {kept(n).id: f"canary-{n}" for n in range(ROWS)}
EVENTS = ("open", "os.rename", "os.remove", "os.listdir", "os.chmod")
"""What Python tells of files: before each of these the process may be killed."""


class Steps:
    """Counts, and kills this process at one."""

    def __init__(self, last: int) -> None:
        self.last = last
        self.count = 0

    def step(self) -> None:
        self.count += 1
        if self.count == self.last:
            os.kill(os.getpid(), signal.SIGKILL)

    def heard(self, event: str, args: tuple[object, ...]) -> None:
        if event in EVENTS and any(NAME in str(each) for each in args):
            self.step()


class Mortal:
    """An office whose process may be killed before and after each transaction is kept."""

    def __init__(self, office: Any, steps: Steps) -> None:
        self.read = office.read
        self._office = office
        self._steps = steps

    @asynccontextmanager
    async def write(self) -> AsyncIterator[Any]:
        async with self._office.write() as desk:
            yield desk
            self._steps.step()
        self._steps.step()


def rekeyed(home: Path, last: int) -> bool:
    """Do it in a process that is killed at a step. False when it had not so many."""
    child = os.fork()
    if child == 0:
        try:
            asyncio.run(_rekeyed(home, Steps(last)))
        finally:
            os._exit(0)
    _, status = os.waitpid(child, 0)
    return os.WIFSIGNALED(status)


async def _rekeyed(home: Path, steps: Steps) -> None:
    async with hall(home) as made:
        means = mortal(made, steps)
        one = Gateway(means, home)
        sys.addaudithook(steps.heard)
        await one.rekeying.rekey(DANA, "")


def mortal(made: Hall, steps: Steps) -> Any:
    return type(made.means)(
        office=Mortal(made.office, steps),
        ledger=made.ledger,
        rules=made.means.rules,
        clock=made.clock,
        ids=made.means.ids,
        announce=made.told.append,
    )


def inside(home: Path, story: Callable[[Hall], Any]) -> Any:
    async def begun() -> Any:
        async with hall(home) as made:
            return await story(made)

    return asyncio.run(begun())


def test_whenever_it_is_killed_everything_opens_and_the_next_one_ends_it(tmp_path: Path) -> None:
    async def begin(made: Hall) -> None:
        await fill(made, Gateway(made.means, tmp_path).safe, ROWS)

    async def look(made: Hall) -> None:
        one = Gateway(made.means, tmp_path)
        assert await opened(made, one.safe) == CANARIES
        async with made.office.write() as desk:  # and everybody can go on
            key = await one.safe.key(desk, 2.0)
            row = await desk.vault.get(kept(0).id)
            assert row is not None
            newer = msgspec.structs.replace(row, version=row.version + 1)
            content = one.safe.opened(row)
            assert await desk.vault.replace(one.safe.sealed(newer, content, key), row.version)

    async def end(made: Hall) -> None:
        one = Gateway(made.means, tmp_path)
        done = await one.rekeying.rekey(DANA, "")
        assert isinstance(done, Rekeyed)
        assert done.lost == ()
        async with made.office.read() as desk:
            assert await desk.vault.key_ids() == [done.key]
        assert await opened(made, one.safe) == CANARIES
        assert len(one.ring.ids()) == 2

    inside(tmp_path, begin)
    steps = 1
    while rekeyed(tmp_path, steps):
        assert stat.S_IMODE((tmp_path / NAME).stat().st_mode) == 0o600
        inside(tmp_path, look)
        inside(tmp_path, end)
        steps += 1
    assert steps > 20
    for last in range(1, steps, 2):  # the next one finds what several have left, and is killed
        rekeyed(tmp_path, last)
        inside(tmp_path, look)
    inside(tmp_path, end)

    assert [each.name for each in tmp_path.iterdir() if NAME in each.name] == [NAME]
