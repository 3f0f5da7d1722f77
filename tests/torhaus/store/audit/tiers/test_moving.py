from pathlib import Path

import pytest

from tests.torhaus.store.audit.s3 import S3
from tests.torhaus.store.audit.tiers.stock import MORNING, depot, record, seal
from torhaus.audit.catalogue import DayFile
from torhaus.model.evidence import Held, Released
from torhaus.model.keeping import Tier
from torhaus.model.ports import LedgerError
from torhaus.store.audit.tiers.compacting import compact
from torhaus.store.audit.tiers.depot import Depot, UpkeepError
from torhaus.store.audit.tiers.moving import end, move
from torhaus.store.audit.tiers.shelves import ShelfError

HOLD = Held(
    hold="h1", first_day="2025-10-01", last_day="2025-10-31", by="dana@example.org", why="case 7"
)


def stocked(tmp_path: Path) -> Depot:
    here = depot(tmp_path)
    seal(tmp_path, "a", [record(MORNING + n, n) for n in range(3)])
    compact(here)
    return here


def only(here: Depot) -> DayFile:
    (file,) = here.catalogue().files.values()
    return file


def quiet(_file: DayFile, _why: str) -> None:
    """Leaves no record."""


def test_a_file_goes_through_every_tier_on_the_disk(tmp_path: Path) -> None:
    here = stocked(tmp_path)

    for tier in (Tier.WARM, Tier.COLD, Tier.ARCHIVE):
        move(here, only(here), tier)

        file = only(here)
        assert (file.tier, file.place) == (tier, "local")
        here.local(tier).check(file.written)


def test_a_file_goes_to_a_bucket_and_on_within_it(s3: S3, tmp_path: Path) -> None:
    stocked(tmp_path)
    bucket = s3.bucket()
    here = depot(tmp_path, bucket)

    move(here, only(here), Tier.WARM)
    warm = only(here)
    move(here, warm, Tier.COLD)
    cold = only(here)

    name = warm.written.file
    assert (warm.tier, warm.place, warm.storage_class) == ("warm", bucket.place, "STANDARD_IA")
    assert (cold.tier, cold.place, cold.storage_class) == ("cold", bucket.place, "GLACIER")
    assert s3.keys(bucket) == [f"team/cold/{name}", f"team/warm/{name}"]
    head = s3.boto.head_object(Bucket=bucket.name, Key=f"team/cold/{name}")
    assert head["StorageClass"] == "GLACIER"


def test_a_file_that_was_changed_goes_nowhere(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    file = only(here)
    path = here.local("hot").path(file.written.file)
    text = path.read_bytes()
    path.write_bytes(text[:-5] + b"x" + text[-4:])

    with pytest.raises(UpkeepError, match="not what the journal says it is, and stays"):
        move(here, file, Tier.WARM)

    assert only(here).tier == "hot"
    assert path.exists()
    assert not (tmp_path / "audit" / "warm").exists()


def test_another_object_in_its_place_keeps_the_local_file(s3: S3, tmp_path: Path) -> None:
    stocked(tmp_path)
    bucket = s3.bucket()
    here = depot(tmp_path, bucket)
    file = only(here)
    s3.boto.put_object(
        Bucket=bucket.name,
        Key=f"team/warm/{file.written.file}",
        Body=b"x" * file.written.octets,
        Metadata={"sha256": file.written.sha256},
    )

    with pytest.raises(ShelfError, match="is another file"):
        move(here, file, Tier.WARM)

    assert only(here).tier == "hot"
    here.local("hot").check(file.written)


def test_a_tombstone_comes_after_its_record(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    told: list[tuple[str, str, bool]] = []

    def note(file: DayFile, why: str) -> None:
        told.append((file.written.file, why, file.written.file in here.catalogue().files))

    assert end(here, only(here), "too old", note)

    known = here.catalogue()
    name = "day=2025-10-20/gate-1-0000000001.parquet"
    assert told == [(name, "too old", True)]
    assert known.deleted[name].why == "too old"
    assert known.files == {}


def test_what_cannot_be_recorded_is_not_deleted(tmp_path: Path) -> None:
    here = stocked(tmp_path)

    def broken(_file: DayFile, _why: str) -> None:
        raise LedgerError("the disk is full")

    with pytest.raises(LedgerError):
        end(here, only(here), "too old", broken)

    assert only(here).tier == "hot"


def test_what_is_held_is_not_deleted_until_it_is_released(tmp_path: Path) -> None:
    here = stocked(tmp_path)
    here.journal.append(HOLD)

    assert not end(here, only(here), "too old", quiet)
    assert here.catalogue().deleted == {}
    here.journal.append(Released(hold="h1", by="dana@example.org", why="closed"))
    assert end(here, only(here), "too old", quiet)


def test_a_hold_that_comes_at_the_last_moment_still_holds(tmp_path: Path) -> None:
    here = stocked(tmp_path)

    def meanwhile(_file: DayFile, _why: str) -> None:
        here.journal.append(HOLD)

    assert not end(here, only(here), "too old", meanwhile)
    assert only(here).tier == "hot"
