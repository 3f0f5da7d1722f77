import asyncio
from pathlib import Path

import pytest

from tests.torhaus.store.audit.test_fetched import stocked
from tests.torhaus.store.audit.tiers.stock import DAY, MORNING, depot
from torhaus.model.evidence import Held, Released
from torhaus.model.keeping import NO_STANDING, KeepingError, Restore, Restored, Tier
from torhaus.store.audit.journal import NAME
from torhaus.store.audit.tiers.restoring import Restores
from torhaus.store.audit.tiers.vault import FileVault

HELD = Held(hold="h1", first_day="2025-10-20", last_day="2025-10-21", by="dana", why="case 7")
RELEASED = Released(hold="h1", by="dana", why="closed")
NOW = MORNING + 200 * DAY


def vault(data: Path, hurried: list[int] | None = None) -> FileVault:
    here = depot(data)
    told = [] if hurried is None else hurried
    return FileVault(here, Restores(here, None), lambda: NO_STANDING, lambda: told.append(1))


def test_a_hold_is_in_the_journal_and_ends_once(tmp_path: Path) -> None:
    async def story() -> tuple[list[Held], bool, bool, list[Held]]:
        made = vault(tmp_path)
        await made.hold(HELD)
        during = await vault(tmp_path).holds()
        released = await made.release(RELEASED)
        return during, released, await made.release(RELEASED), await made.holds()

    assert asyncio.run(story()) == ([HELD], True, False, [])
    assert depot(tmp_path).catalogue().holds == {}


def test_a_restore_is_written_down_and_hurried(tmp_path: Path) -> None:
    stocked(tmp_path, None, Tier.COLD)
    hurried: list[int] = []
    wish = Restore(
        id="r1", first_day="2025-10-20", last_day="2025-10-21", until=NOW + DAY, by="dana"
    )

    async def story() -> tuple[Restored, list[Restored], list[Restored]]:
        made = vault(tmp_path, hurried)
        found = await made.restore(wish, NOW)
        return found, await made.restores(NOW), await made.restores(NOW + DAY)

    found, during, after = asyncio.run(story())

    assert found == Restored(restore=wish, ready=2, files=2)
    assert during == [found]
    assert after == []
    assert hurried == [1]


def test_what_cannot_be_written_or_trusted_is_told(tmp_path: Path) -> None:
    depot(tmp_path)
    (tmp_path / "audit" / NAME).mkdir()

    with pytest.raises(KeepingError, match="the journal cannot be written: Is a directory"):
        asyncio.run(vault(tmp_path).hold(HELD))
    with pytest.raises(KeepingError, match="the journal cannot be read"):
        asyncio.run(vault(tmp_path).holds())
