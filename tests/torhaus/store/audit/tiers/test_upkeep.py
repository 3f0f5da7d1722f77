from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.s3 import S3
from tests.torhaus.store.audit.tiers.stock import (
    DAY,
    MORNING,
    NEXT,
    counted,
    depot,
    nothing_else,
    record,
    seal,
)
from torhaus.audit.catalogue import DayFile
from torhaus.model.evidence import Held
from torhaus.model.keeping import After, Bucket, Restore, Retention, Shelved
from torhaus.store.audit.tiers.upkeep import Upkeep

RETENTION = Retention(hot=30 * DAY, warm=180 * DAY, cold=730 * DAY, after=After.DELETE)


def upkeep(tmp_path: Path, bucket: Bucket | None = None, **changes: object) -> Upkeep:
    facts: dict[str, object] = {"retention": RETENTION, "bucket": bucket, "grace": 0.0, **changes}
    return Upkeep(depot(tmp_path, bucket), **facts)  # type: ignore[arg-type]


def tiers(made: Upkeep) -> list[str]:
    return [each.tier for each in made.depot.catalogue().files.values()]


def stock(tmp_path: Path, days: int = 2) -> None:
    for day in range(days):
        seal(tmp_path, f"{day}", [record(MORNING + day * DAY, day)])


def test_records_go_through_their_whole_life(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    ended: list[str] = []
    made = upkeep(tmp_path, bucket, note=lambda file, _why: ended.append(file.written.day))
    stock(tmp_path)

    life = []
    for days in (0.5, 31.6, 32.6, 181.6, 182.6, 731.6, 732.6):
        made.hurry()
        assert made.round(MORNING + days * DAY)
        assert made.standing.trouble is None
        life.append(tiers(made))

    assert life == [
        ["hot", "hot"],
        ["warm", "hot"],
        ["warm", "warm"],
        ["cold", "warm"],
        ["cold", "cold"],
        ["cold"],
        [],
    ]
    assert ended == ["2025-10-20", "2025-10-21"]
    assert s3.keys(bucket) == []
    assert [*made.depot.audit.rglob("*.parquet")] == []
    assert {each.why for each in made.depot.catalogue().deleted.values()} == {
        "older than 730 days, as audit_logs.retention says"
    }


def test_a_legal_hold_survives_every_end(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    stock(tmp_path)
    made = upkeep(tmp_path, bucket)
    made.round(MORNING + DAY / 2)
    journal(tmp_path).append(
        Held(hold="h", first_day="2025-10-20", last_day="2025-10-20", by="dana", why="case 7")
    )

    again = upkeep(tmp_path, bucket)
    again.round(MORNING + 5000 * DAY)
    again.hurry()
    again.round(MORNING + 6000 * DAY)

    (left,) = again.depot.catalogue().files.values()
    assert left.written.day == "2025-10-20"
    again.depot.shelf_of(left).check(left.written)
    assert again.standing.trouble is None


def test_archived_records_are_kept_out_of_the_way(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    stock(tmp_path, days=1)
    made = upkeep(tmp_path, bucket, retention=Retention(hot=30 * DAY, after=After.ARCHIVE))

    made.round(MORNING + 40 * DAY)
    made.hurry()
    made.round(MORNING + 4000 * DAY)

    assert tiers(made) == ["archive"]
    assert s3.keys(bucket) == ["team/archive/day=2025-10-20/gate-1-0000000001.parquet"]


def test_a_bucket_that_is_down_is_told_retried_later_and_later_and_then_forgotten(
    s3: S3, tmp_path: Path
) -> None:
    stock(tmp_path)
    missing = s3.named("not-yet-there")
    made = upkeep(tmp_path, missing)
    now = MORNING + 40 * DAY

    with capture_logs() as logs:
        for wait in (0, 59, 61, 119, 181):
            made.round(now + wait)

    failed = [each for each in logs if each["event"] == "audit.upkeep_failed"]
    again_in = [each["again_in"] for each in failed if each["step"] == "move"]
    assert again_in == [60.0, 120.0, 240.0]
    assert made.standing.failures["move"] == 3
    assert made.standing.trouble is not None
    assert "does not exist" in made.standing.trouble
    assert counted(made.depot) == {record(0, n).request_id: 1 for n in range(2)}

    s3.boto.create_bucket(Bucket=missing.name)
    made.hurry()
    made.round(now + 182)
    assert made.standing.trouble is None
    assert tiers(made) == ["warm", "warm"]


def test_wrong_keys_keep_everything_here_and_are_told(tmp_path: Path) -> None:
    stock(tmp_path)
    bucket = Bucket(name="audit", endpoint="http://127.0.0.1:9", plaintext=True)
    made = upkeep(tmp_path, bucket)

    with capture_logs():
        made.round(MORNING + 40 * DAY)

    assert tiers(made) == ["hot", "hot"]
    assert "does not answer" in (made.standing.trouble or "")


def test_compaction_waits_an_hour_or_for_enough_to_do(tmp_path: Path) -> None:
    made = upkeep(tmp_path)
    made.round(NEXT)
    stock(tmp_path)

    made.round(NEXT + 3599)
    assert made.standing.waiting.files == 2
    made.round(NEXT + 3600)

    assert made.standing.waiting == Shelved()
    assert made.standing.tiers["hot"].records == 2


def test_a_refused_segment_is_told_and_holds_up_no_other(tmp_path: Path) -> None:
    stock(tmp_path)
    bad = seal(tmp_path, "bad", [record(MORNING, 7)])
    bad.write_bytes(bad.read_bytes().replace(b"person7", b"person8"))
    made = upkeep(tmp_path)

    with capture_logs() as logs:
        made.round(NEXT)

    assert bad.exists()
    assert made.standing.waiting.files == 1
    assert made.standing.tiers["hot"].files == 2
    assert made.refused == {"seg-bad.jsonl": "it is not what it was when it was sealed"}
    assert made.standing.trouble == (
        "seg-bad.jsonl stays a segment: it is not what it was when it was sealed"
    )
    assert any(each["log_level"] == "error" for each in logs)


def test_only_one_process_works_at_a_time(tmp_path: Path) -> None:
    stock(tmp_path)
    one, other = upkeep(tmp_path), upkeep(tmp_path)

    with one._locked() as mine, nothing_else(tmp_path):
        assert mine
        assert not other.round(NEXT)
    assert other.standing.waiting.files == 2
    assert other.round(NEXT)


def test_whoever_is_told_to_stop_begins_nothing_more(tmp_path: Path) -> None:
    stock(tmp_path)
    made = upkeep(tmp_path, stopped=lambda: True)

    made.round(NEXT)

    assert made.standing.waiting.files == 2
    assert made.standing.trouble is None


def test_days_are_put_together_and_what_was_asked_for_is_restored(s3: S3, tmp_path: Path) -> None:
    made = upkeep(tmp_path, s3.bucket(cold_class=""))
    for number in range(3):
        seal(tmp_path, f"{number}", [record(MORNING + number, number)])
        made.hurry()
        made.round(MORNING + 600 + number)
    made.hurry()
    made.round(MORNING + 200 * DAY)
    made.restores.add(
        Restore(id="r", first_day="2025-10-20", last_day="2025-10-20", until=9e12, by="dana"),
        MORNING,
    )

    made.round(MORNING + 200 * DAY + 60)

    (file,) = made.depot.catalogue().files.values()
    assert (file.tier, file.written.records) == ("cold", 3)
    assert len([*(made.depot.audit / "restored").iterdir()]) == 1


def test_the_standing_counts_what_there_is(tmp_path: Path) -> None:
    seal(tmp_path, "a", [record(MORNING, 1), record(MORNING + 5, 2)])
    seal(tmp_path, "b", [record(MORNING + 9, 3)], proof="broken", why="line 2")
    made = upkeep(tmp_path)

    made.look()

    assert made.standing.waiting.records == 2
    assert made.standing.oldest == MORNING + 5
    assert made.standing.broken == 1
    made.round(NEXT)
    assert made.standing.oldest is None
    assert made.standing.tiers["hot"].octets > 0


@pytest.mark.parametrize("damaged", ["journal", "list"])
def test_what_cannot_be_read_is_told(tmp_path: Path, damaged: str) -> None:
    stock(tmp_path)
    made = upkeep(tmp_path)
    names = {"journal": "journal.jsonl", "list": "restores.json"}
    path = tmp_path / "audit" / names[damaged]
    path.write_bytes(b"{}\n{}\n" if damaged == "journal" else b"{")

    with capture_logs():
        made.round(NEXT)

    assert (made.standing.trouble or "").startswith(("line 1 of the journal", str(path)))


def test_a_file_that_fails_does_not_keep_others_from_moving(tmp_path: Path) -> None:
    stock(tmp_path)
    made = upkeep(tmp_path)
    made.round(NEXT)
    first: DayFile = next(iter(made.depot.catalogue().files.values()))
    made.depot.local("hot").path(first.written.file).write_bytes(b"x" * first.written.octets)
    made.hurry()

    with capture_logs():
        made.round(MORNING + 40 * DAY)

    assert tiers(made) == ["hot", "warm"]
    assert "not what the journal says" in (made.standing.trouble or "")
