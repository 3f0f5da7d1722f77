"""Whatever moment a round is killed at, the next one goes on, and every record counts once."""

import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from tests.torhaus.store.audit.s3 import S3
from tests.torhaus.store.audit.tiers.programs.dying import upkeep
from tests.torhaus.store.audit.tiers.stock import DAY, EVENING, MORNING, counted, ids, record, seal
from torhaus.store.audit.fetched import Fetched
from torhaus.store.audit.tiers.depot import Depot

EXPECTED = {record(0, n).request_id: 1 for n in range(40)}
SOON, LATER = MORNING + 2 * DAY, MORNING + 40 * DAY
PROGRAM = (sys.executable, "-m", "tests.torhaus.store.audit.tiers.programs.dying")


def stock(data: Path) -> None:
    """Two segments of one day, and one that goes over midnight."""
    seal(data, "1", [record(MORNING + n, n) for n in range(10)])
    seal(data, "2", [record(MORNING + n, n) for n in range(10, 20)])
    seal(data, "3", [record(EVENING + n - 20, n) for n in range(20, 40)])


def killed(data: Path, at: int, now: float, *bucket: str) -> "subprocess.CompletedProcess[str]":
    arguments = (str(data), str(at), str(now), *bucket)
    return subprocess.run(
        (*PROGRAM, *arguments), capture_output=True, text=True, check=False, timeout=120
    )


def changes(data: Path, now: float, *bucket: str) -> list[str]:
    whole = killed(data, 0, now, *bucket)
    assert whole.returncode == 0, whole.stderr
    told = whole.stdout.splitlines()
    assert told[-1] == "trouble: None"
    return [each.removeprefix("change: ") for each in told if each.startswith("change: ")]


def clean(here: Depot) -> None:
    """Nothing is left that the journal does not name, and it names nothing that is missing."""
    known = here.catalogue()
    on_disk = {
        f"{path.parent.parent.name}/{path.parent.name}/{path.name}"
        for path in here.audit.rglob("day=*/*")
    }
    expected = {
        f"{file.tier}/{name}" for name, file in known.files.items() if file.place == "local"
    }
    assert on_disk == expected
    assert known.sealed == {}
    assert list(here.segments.glob("*.jsonl")) == []


# Every change of a round from the first to the last: see the program. A thinned-out table runs
# each time, the whole of it in `make soak`.
def points(count: int, every: int) -> list[int]:
    return [*range(1, count + 1)][::every]


def compaction(tmp_path: Path, every: int) -> None:
    stock(tmp_path / "model")
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path / "model", whole)
    seen = changes(whole, SOON)
    assert any("journal.jsonl" in each for each in seen)
    assert any(each.startswith("os.remove seg-") for each in seen)

    for at in points(len(seen), every):
        data = tmp_path / f"{at}"
        shutil.copytree(tmp_path / "model", data)
        dead = killed(data, at, SOON)
        assert dead.returncode == -9, seen[at - 1]
        again = upkeep(data, None)
        assert counted(again.depot) == EXPECTED, seen[at - 1]

        assert again.round(SOON + 60)
        again.hurry()
        assert again.round(SOON + 120)

        assert again.standing.trouble is None, seen[at - 1]
        assert counted(again.depot) == EXPECTED, seen[at - 1]
        clean(again.depot)
        shutil.rmtree(data)


def test_a_killed_compaction_is_completed_by_the_next_round(tmp_path: Path) -> None:
    compaction(tmp_path, every=4)


@pytest.mark.soak
def test_a_compaction_killed_at_any_change_is_completed(tmp_path: Path) -> None:
    compaction(tmp_path, every=1)


def moves(s3: S3, tmp_path: Path, every: int) -> None:
    stock(tmp_path / "model")
    made = upkeep(tmp_path / "model", None)
    assert made.round(SOON)
    shutil.copytree(tmp_path / "model", tmp_path / "whole")
    seen = changes(tmp_path / "whole", LATER, s3.url, s3.bucket().name)
    assert "before put" in seen
    assert any(each.startswith("os.remove gate-1") for each in seen)

    for at in points(len(seen), every):
        data, bucket = tmp_path / f"{at}", s3.bucket(cold_class="")
        shutil.copytree(tmp_path / "model", data)
        dead = killed(data, at, LATER, s3.url, bucket.name)
        assert dead.returncode == -9, seen[at - 1]
        everything(upkeep(data, bucket).depot, seen[at - 1])

        again = upkeep(data, bucket)
        assert again.round(LATER + 60)
        again.hurry()
        assert again.round(LATER + 120)

        assert again.standing.trouble is None, seen[at - 1]
        assert {file.tier for file in again.depot.catalogue().files.values()} == {"warm"}
        everything(again.depot, seen[at - 1])
        clean(again.depot)
        assert len(s3.keys(bucket)) == len(again.depot.catalogue().files)
        shutil.rmtree(data)


def everything(here: Depot, when: str) -> None:
    """All records, read as a query reads them: through the catalogue and the copies."""
    fetched = Fetched(here)
    paths = fetched.local(here.catalogue().files.values())
    assert Counter(ids(paths)) == EXPECTED, when


def test_a_killed_move_is_completed_by_the_next_round(s3: S3, tmp_path: Path) -> None:
    moves(s3, tmp_path, every=3)


@pytest.mark.soak
def test_a_move_killed_at_any_change_is_completed(s3: S3, tmp_path: Path) -> None:
    moves(s3, tmp_path, every=1)
