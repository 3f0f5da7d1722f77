"""Legal holds and restores: who may, and what is recorded."""

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.admin.hall import ALICE, ANONYMOUS, BOB, DANA, Hall, hall
from tests.torhaus.cast import NOW, run
from torhaus.admin.keeping import HoldRecords, ReleaseHold, RestoreRecords
from torhaus.model.evidence import Held
from torhaus.model.people import Principal

HOLD = HoldRecords("2025-10-01", "2025-10-31", "case 7")
RESTORE = RestoreRecords("2025-10-01", "2025-10-31", 7)


def play(path: Path, story: Callable[[Hall], Awaitable[None]]) -> None:
    async def played() -> None:
        async with hall(path) as made:
            await story(made)

    run(played())


def test_a_hold_is_in_force_with_who_and_why(tmp_path: Path) -> None:
    async def story(made: Hall) -> None:
        held = await made.done(DANA, HOLD)

        assert held == Held(
            hold="adm_1",
            first_day="2025-10-01",
            last_day="2025-10-31",
            by=DANA.email,
            why="case 7",
        )
        assert made.vault.kept == {"adm_1": held}
        assert made.ends() == [("audit.held", DANA.email, "success")]
        assert made.parameters()["after"]["why"] == "case 7"

    play(tmp_path, story)


def test_a_hold_is_released_with_a_reason_of_its_own(tmp_path: Path) -> None:
    async def story(made: Hall) -> None:
        held = await made.done(DANA, HOLD)

        gone = await made.done(DANA, ReleaseHold(held.hold, "case closed"))

        assert gone == held
        assert made.vault.kept == {}
        assert [each.why for each in made.vault.released] == ["case closed"]
        assert made.ends()[-1] == ("audit.released", DANA.email, "success")
        assert made.parameters()["before"]["why"] == "case 7"

    play(tmp_path, story)


def test_days_are_restored_for_a_while(tmp_path: Path) -> None:
    async def story(made: Hall) -> None:
        found = await made.done(DANA, RESTORE)

        (asked,) = made.vault.asked
        assert found.restore == asked
        assert asked.until == NOW + 7 * 86400
        assert asked.by == DANA.email
        assert made.ends() == [("audit.restored", DANA.email, "success")]

    play(tmp_path, story)


@pytest.mark.parametrize("who", [ALICE, BOB, ANONYMOUS])
@pytest.mark.parametrize("act", [HOLD, ReleaseHold("adm_9", "x"), RESTORE])
def test_only_administrators_of_everything_may(tmp_path: Path, who: Principal, act: Any) -> None:
    async def story(made: Hall) -> None:
        refusal = await made.refused(who, act)

        assert refusal.code == "not_allowed"
        assert made.vault.kept == {}
        assert made.vault.asked == []
        assert made.ends()[-1][2] == "denied"

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("act", "code", "said"),
    [
        (HoldRecords("2025-10-31", "2025-10-01", "x"), "invalid", "before the first"),
        (HoldRecords("2025-02-30", "2025-10-01", "x"), "invalid", "no day"),
        (HoldRecords("20251001", "2025-10-01", "x"), "invalid", "no day"),
        (HoldRecords("2025-10-01", "2025-10-01\n", "x"), "invalid", "no day"),
        (HoldRecords("2025-10-01", "2025-10-01", "  "), "invalid", "needs a reason"),
        (ReleaseHold("adm_9", "closed"), "not_found", "no hold 'adm_9'"),
        (ReleaseHold("adm_9", ""), "invalid", "needs a reason"),
        (RestoreRecords("2025-10-01", "2025-10-02", 0), "invalid", "1 to 365 days"),
        (RestoreRecords("2025-10-01", "2025-10-02", 366), "invalid", "1 to 365 days"),
        (RestoreRecords("today", "2025-10-02", 7), "invalid", "no day"),
    ],
)
def test_what_cannot_be_is_refused(tmp_path: Path, act: Any, code: str, said: str) -> None:
    async def story(made: Hall) -> None:
        refusal = await made.refused(DANA, act)

        assert refusal.code == code
        assert said in refusal.reason

    play(tmp_path, story)


@pytest.mark.parametrize("act", [HOLD, ReleaseHold("adm_9", "x"), RESTORE])
def test_a_journal_that_cannot_be_written_is_told(tmp_path: Path, act: Any) -> None:
    async def story(made: Hall) -> None:
        made.vault.broken = "the journal cannot be written: No space left on device"

        refusal = await made.refused(DANA, act)

        assert (refusal.code, refusal.reason) == ("unavailable", made.vault.broken)

    play(tmp_path, story)
