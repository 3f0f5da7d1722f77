"""The state database, as the doctor sees it."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from tests.torhaus.store.state.people import stop
from tests.torhaus.store.state.requests import NOW
from torhaus.cli.doctor.finding import Finding, Level
from torhaus.cli.doctor.state import findings
from torhaus.config.settings import Settings
from torhaus.model.secret import Secret
from torhaus.model.stops import Stop
from torhaus.model.vault import Kept, Rotation, VaultKind
from torhaus.store.state.database import NAME, Database
from torhaus.store.state.office import StateOffice

AT = datetime.fromtimestamp(NOW, UTC)
DAY = 86400.0
AGES = Rotation()


async def begun(home: Path, *stops: Stop) -> None:
    database = Database(None, home)
    await database.open()
    async with StateOffice(database).write() as desk:
        for each in stops:
            await desk.stops.add(each)
    await database.close()


def found(settings: Settings, rotation: Rotation = AGES) -> list[Finding]:
    return list(findings(settings, rotation, AT))


def test_where_no_gateway_has_begun_nothing_is_said_and_nothing_made(tmp_path: Path) -> None:
    assert found(Settings(data_dir=tmp_path)) == []
    assert not (tmp_path / NAME).exists()


def test_what_is_stopped_is_told_with_why_by_whom_and_until_when(tmp_path: Path) -> None:
    forever = stop("s2", target="jira", expires=None, reason="forever")
    asyncio.run(begun(tmp_path, stop("s1"), forever, stop("s3", expires=NOW - 1)))

    well, first, second = found(Settings(data_dir=tmp_path))

    assert (well.level, well.check) == (Level.PASS, "state database")
    assert {first.level, second.level} == {Level.WARN}
    assert stop("s1").reason in first.message
    assert stop("s1").created_by in first.message
    assert "UTC" in first.message
    assert "torhaus stop lift s1" in first.fix
    assert "until it is lifted: forever" in second.message


def test_one_that_was_never_brought_up_to_date_is_told(tmp_path: Path) -> None:
    (tmp_path / NAME).touch()

    (told,) = found(Settings(data_dir=tmp_path))

    assert told.level is Level.WARN
    assert "torhaus migrate" in told.fix


def test_one_that_does_not_answer_is_a_failure_without_its_password(tmp_path: Path) -> None:
    url = Secret("postgresql://torhaus:very-secret@127.0.0.1:1/state")

    (told,) = found(Settings(data_dir=tmp_path, state_url=url))

    assert told.level is Level.FAIL
    assert "very-secret" not in told.message


def test_old_credentials_are_told_with_what_to_do(tmp_path: Path) -> None:
    ages = {"young": 10, "due": 85, "over": 120}

    async def store() -> None:
        database = Database(None, tmp_path)
        await database.open()
        async with StateOffice(database).write() as desk:
            for name, days in ages.items():
                kept = Kept(
                    id=name,
                    server=name,
                    kind=VaultKind.BEARER,
                    key_id="k",
                    sealed=b"x",
                    created=0.0,
                    created_by="dana@example.org",
                    rotated=NOW - days * DAY,
                )
                await desk.vault.add(kept)
        await database.close()

    asyncio.run(store())

    mild, strict = (found(Settings(data_dir=tmp_path), Rotation(enforce=e)) for e in (False, True))

    told = {each.fix: each.level for each in mild if each.check == "stored credential"}
    assert told == {f"torhaus secrets rotate {name}": Level.WARN for name in ("due", "over")}
    (failed,) = [each for each in strict if each.level is Level.FAIL]
    assert "over is 120 days old; policy allows 90, so it is not used any more" in failed.message
