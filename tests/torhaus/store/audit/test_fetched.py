import os
from pathlib import Path

import pytest

from tests.torhaus.store.audit.s3 import S3
from tests.torhaus.store.audit.tiers.stock import DAY, MORNING, depot, ids, record, seal
from torhaus.audit.catalogue import DayFile
from torhaus.model.keeping import Bucket, Tier
from torhaus.store.audit.fetched import Fetched, restored
from torhaus.store.audit.tiers.compacting import compact
from torhaus.store.audit.tiers.depot import Depot
from torhaus.store.audit.tiers.moving import move
from torhaus.store.audit.tiers.shelves import ShelfError
from torhaus.store.audit.tiers.sweeping import Sweeper


def stocked(tmp_path: Path, bucket: Bucket | None, tier: Tier, days: int = 3) -> Depot:
    here = depot(tmp_path, bucket)
    for day in range(days):
        seal(tmp_path, f"{day}", [record(MORNING + day * DAY, day)])
    compact(here)
    if tier is not Tier.HOT:
        for file in files(here):
            move(here, file, tier)
    Sweeper(0).disk(here, 0.0)
    return here


def files(here: Depot) -> list[DayFile]:
    return [*here.catalogue().files.values()]


def copies(tmp_path: Path) -> int:
    return len([*(tmp_path / "audit" / "cache").glob("*.parquet")])


@pytest.mark.parametrize("tier", [Tier.HOT, Tier.WARM, Tier.COLD])
def test_what_is_on_this_disk_is_read_where_it_is(tmp_path: Path, tier: Tier) -> None:
    here = stocked(tmp_path, None, tier)

    found = Fetched(here).local(files(here))

    assert found == [here.local(tier).path(each.written.file) for each in files(here)]
    assert ids(found) == [record(0, day).request_id for day in range(3)]
    assert copies(tmp_path) == 0


def test_what_is_in_a_bucket_is_fetched_once(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    here = stocked(tmp_path, bucket, Tier.WARM)
    fetched = Fetched(here)

    found = fetched.local(files(here))
    for key in s3.keys(bucket):
        s3.boto.delete_object(Bucket=bucket.name, Key=key)
    again = Fetched(here).local(files(here))

    assert found == again == fetched.local(files(here))
    assert ids(found) == [record(0, day).request_id for day in range(3)]
    assert copies(tmp_path) == 3


def test_the_least_used_copies_are_dropped_for_room(s3: S3, tmp_path: Path) -> None:
    here = stocked(tmp_path, s3.bucket(), Tier.WARM)
    one, two, three = files(here)
    fetched = Fetched(here, most=one.written.octets + three.written.octets)
    for at, file in enumerate((two, one)):
        (path,) = fetched.local([file])
        os.utime(path, (at, at))

    (path,) = fetched.local([three])

    left = {each.stem for each in (tmp_path / "audit" / "cache").iterdir()}
    assert left == {one.written.sha256, three.written.sha256}
    assert path.stem == three.written.sha256


def test_what_one_query_needs_is_never_dropped_under_it(s3: S3, tmp_path: Path) -> None:
    here = stocked(tmp_path, s3.bucket(), Tier.WARM)

    found = Fetched(here, most=1).local(files(here))

    assert all(path.is_file() for path in found)


@pytest.mark.parametrize("text", [b"", b"spoiled"])
def test_a_spoiled_copy_is_fetched_anew(s3: S3, tmp_path: Path, text: bytes) -> None:
    here = stocked(tmp_path, s3.bucket(), Tier.WARM, days=1)
    (path,) = Fetched(here).local(files(here))
    size = path.stat().st_size
    path.write_bytes(text.ljust(size, b"x") if text else b"")

    assert Fetched(here).local(files(here)) == [path]
    assert ids([path]) == [record(0, 0).request_id]


def test_a_spoiled_object_is_never_read(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    here = stocked(tmp_path, bucket, Tier.WARM, days=1)
    (key,) = s3.keys(bucket)
    s3.spoil(bucket, key, b"x" * files(here)[0].written.octets)

    with pytest.raises(ShelfError, match="not what the journal says"):
        Fetched(here).local(files(here))

    assert copies(tmp_path) == 0


def test_half_an_answer_is_none(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    here = stocked(tmp_path, bucket, Tier.WARM)
    s3.boto.delete_object(Bucket=bucket.name, Key=s3.keys(bucket)[1])

    with pytest.raises(ShelfError, match="not in the bucket"):
        Fetched(here).local(files(here))


def test_cold_files_are_read_only_once_they_are_restored(s3: S3, tmp_path: Path) -> None:
    here = stocked(tmp_path, s3.bucket(cold_class=""), Tier.COLD, days=1)
    (file,) = files(here)
    fetched = Fetched(here)

    assert not fetched.readable(file)
    with pytest.raises(ShelfError, match="is cold: torhaus audit restore"):
        fetched.local([file])

    copy = restored(here.audit, file)
    here.shelf_of(file).fetch(file.written, copy)
    assert fetched.readable(file)
    assert fetched.local([file]) == [copy]
    copy.unlink()
    copy.write_bytes(b"x" * file.written.octets)
    with pytest.raises(ShelfError, match="not what the journal says"):
        Fetched(here).local([file])


def test_files_of_this_disk_can_be_read_but_for_archived_ones(tmp_path: Path) -> None:
    here = stocked(tmp_path, None, Tier.HOT, days=1)
    fetched = Fetched(here)

    assert fetched.readable(files(here)[0])
    move(here, files(here)[0], Tier.COLD)
    assert fetched.readable(files(here)[0])
    move(here, files(here)[0], Tier.ARCHIVE)
    assert not fetched.readable(files(here)[0])
