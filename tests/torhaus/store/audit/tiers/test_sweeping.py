from pathlib import Path

import pytest

from tests.torhaus.store.audit.s3 import S3
from tests.torhaus.store.audit.tiers.stock import MORNING, NEXT, depot, record, seal
from tests.torhaus.store.audit.tiers.test_moving import only, quiet, stocked
from torhaus.model.keeping import Tier
from torhaus.store.audit.tiers.compacting import compact, merge
from torhaus.store.audit.tiers.moving import end, move
from torhaus.store.audit.tiers.shelves import ShelfError
from torhaus.store.audit.tiers.sweeping import Sweeper


def files(tmp_path: Path) -> list[str]:
    audit = tmp_path / "audit"
    found = (*audit.glob("hot/*.jsonl"), *audit.rglob("*.parquet"))
    return sorted(str(path.relative_to(audit)) for path in found)


NAME = "day=2025-10-20/gate-1-0000000001.parquet"


def test_a_segment_goes_when_its_records_are_in_a_file(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    waiting = seal(tmp_path, "b", [record(MORNING, 9)])

    assert Sweeper(0).segments(here, 0.0) == 1

    assert files(tmp_path) == [f"hot/{NAME}", f"hot/{waiting.name}"]
    assert Sweeper(0).segments(here, 0.0) == 0


def test_a_segment_stays_while_its_file_is_not_to_be_found(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    here.local("hot").path(NAME).unlink()

    with pytest.raises(ShelfError, match="No such file"):
        Sweeper(0).segments(here, 0.0)

    assert files(tmp_path) == ["hot/seg-a.jsonl"]


def test_so_it_does_when_the_file_was_replaced_and_the_new_one_is_missing(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    seal(tmp_path, "b", [record(MORNING, 9)])
    compact(here)
    merge(here, NEXT)
    here.local("hot").path(only(here).written.file).unlink()

    with pytest.raises(ShelfError, match="No such file"):
        Sweeper(0).segments(here, 0.0)


def test_so_it_does_when_that_one_was_replaced_too(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    for name in "bc":
        seal(tmp_path, name, [record(MORNING, 9)])
        compact(here)
        assert merge(here, NEXT)
    here.local("hot").path(only(here).written.file).unlink()

    with pytest.raises(ShelfError, match="No such file"):
        Sweeper(0).segments(here, 0.0)


def test_whoever_reads_has_a_while(tmp_path: Path) -> None:
    here, sweeper = stocked(tmp_path), Sweeper(60)
    move(here, only(here), Tier.WARM)

    for now in (100.0, 159.0):
        assert sweeper.segments(here, now) == 0
        sweeper.disk(here, now)
        assert files(tmp_path) == [f"hot/{NAME}", "hot/seg-a.jsonl", f"warm/{NAME}"]
    assert sweeper.segments(here, 160.0) == 1
    sweeper.disk(here, 160.0)
    assert files(tmp_path) == [f"warm/{NAME}"]


def test_a_moved_file_stays_while_it_is_not_to_be_found_where_it_went(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    move(here, only(here), Tier.WARM)
    here.local("warm").path(NAME).unlink()

    with pytest.raises(ShelfError, match="No such file"):
        Sweeper(0).disk(here, 0.0)

    assert f"hot/{NAME}" in files(tmp_path)


def test_replaced_and_deleted_files_go(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    seal(tmp_path, "b", [record(MORNING, 9)])
    compact(here)
    merge(here, NEXT)

    assert Sweeper(0).disk(here, 0.0) == []
    assert [each for each in files(tmp_path) if "day=" in each] == [
        "hot/day=2025-10-20/gate-1-0000000003.parquet"
    ]
    end(here, only(here), "too old", quiet)
    assert Sweeper(0).disk(here, 0.0) == []
    assert [each for each in files(tmp_path) if "day=" in each] == []


def test_what_the_journal_does_not_know_is_never_touched(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    strange = here.local("hot").path("day=2025-10-20/other-0000000001.parquet")
    strange.write_bytes(b"somebody's")

    assert Sweeper(0).disk(here, 0.0) == ["hot/day=2025-10-20/other-0000000001.parquet"]
    assert strange.read_bytes() == b"somebody's"


def test_the_warm_object_goes_once_the_cold_one_is_there(s3: S3, tmp_path: Path) -> None:
    stocked(tmp_path)
    bucket = s3.bucket()
    here = depot(tmp_path, bucket)
    s3.boto.put_object(Bucket=bucket.name, Key="team/warm/day=x/strange.parquet", Body=b"x")
    move(here, only(here), Tier.WARM)
    Sweeper(0).buckets(here, 0.0)
    assert len(s3.keys(bucket)) == 2
    move(here, only(here), Tier.COLD)

    Sweeper(0).buckets(here, 0.0)

    assert s3.keys(bucket) == [f"team/cold/{NAME}", "team/warm/day=x/strange.parquet"]


def test_copies_of_what_has_ended_go_too(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    copies = tmp_path / "audit" / "cache"
    copies.mkdir()
    (copies / f"{only(here).written.sha256}.parquet").write_bytes(b"copy")

    Sweeper(0).copies(here)
    assert len([*copies.iterdir()]) == 1
    end(here, only(here), "too old", quiet)
    Sweeper(0).copies(here)

    assert [*copies.iterdir()] == []


def test_a_segment_stays_while_somebody_waits_for_its_records(tmp_path: Path) -> None:
    here = stocked(tmp_path)

    assert Sweeper(0).segments(here, 0.0, {"seg-a.jsonl"}) == 0
    assert Sweeper(0).segments(here, 0.0, {"seg-b.jsonl"}) == 1
