from dataclasses import replace
from pathlib import Path

import pytest

from tests.torhaus.store.audit.tiers.stock import MORNING, depot, record, seal
from torhaus.audit.catalogue import DayFile
from torhaus.model.keeping import Bucket, Tier
from torhaus.store.audit.journal import NAME
from torhaus.store.audit.tiers.bucket import BucketShelf
from torhaus.store.audit.tiers.compacting import compact
from torhaus.store.audit.tiers.depot import UpkeepError, shelves
from torhaus.store.audit.tiers.shelves import LocalShelf, ShelfError

BUCKET = Bucket(name="audit", endpoint="https://s3.example.org", prefix="a/")


def day_file(tmp_path: Path) -> DayFile:
    seal(tmp_path, "a", [record(MORNING, 1)])
    here = depot(tmp_path)
    compact(here)
    (file,) = here.catalogue().files.values()
    return file


def test_without_a_bucket_every_tier_is_a_directory(tmp_path: Path) -> None:
    found = shelves(tmp_path, None)

    assert [type(each) for each in found.values()] == [LocalShelf] * 4
    assert found[Tier.COLD].place == "local"


def test_hot_stays_on_the_disk_whatever_bucket_there_is(tmp_path: Path) -> None:
    found = shelves(tmp_path, BUCKET)

    assert isinstance(found[Tier.HOT], LocalShelf)
    assert isinstance(found[Tier.WARM], BucketShelf)
    assert found[Tier.WARM].place == "https://s3.example.org/audit/a"


def test_a_file_is_where_the_journal_says(tmp_path: Path) -> None:
    file = day_file(tmp_path)
    here = depot(tmp_path, BUCKET)

    local = here.shelf_of(replace(file, tier="warm"))
    away = here.shelf_of(replace(file, tier="warm", place=BUCKET.place))

    assert isinstance(local, LocalShelf)
    assert local.directory == tmp_path / "audit" / "warm"
    assert away is here.shelves[Tier.WARM]


def test_a_bucket_that_is_not_configured_any_more_is_told(tmp_path: Path) -> None:
    file = replace(day_file(tmp_path), tier="warm", place="https://old.example.org/audit")

    with pytest.raises(ShelfError, match=r"storage\.audit names another place"):
        depot(tmp_path, BUCKET).shelf_of(file)


def test_a_damaged_journal_is_not_trusted(tmp_path: Path) -> None:
    day_file(tmp_path)
    path = tmp_path / "audit" / NAME
    path.write_bytes(path.read_bytes().replace(b"sealed", b"sealer", 1))

    with pytest.raises(UpkeepError, match="line 1 of the journal is damaged"):
        depot(tmp_path).catalogue()
