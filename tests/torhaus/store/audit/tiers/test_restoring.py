from pathlib import Path

import pytest

from tests.torhaus.store.audit.s3 import S3
from tests.torhaus.store.audit.test_fetched import files, stocked
from tests.torhaus.store.audit.tiers.stock import DAY, MORNING
from torhaus.model.keeping import Restore, Tier
from torhaus.store.audit.fetched import Fetched
from torhaus.store.audit.tiers.depot import UpkeepError
from torhaus.store.audit.tiers.restoring import NAME, Restores, covers

NOW = MORNING + 400 * DAY


def restore(last: str = "2025-10-21", until: float = NOW + 7 * DAY) -> Restore:
    return Restore(
        id="r1", first_day="2025-10-20", last_day=last, until=until, by="dana@example.org"
    )


def test_cold_days_on_the_disk_need_no_restore(tmp_path: Path) -> None:
    here = stocked(tmp_path, None, Tier.COLD)
    restores = Restores(here, None)

    restores.add(restore(), NOW)

    assert restores.ready(restore()) == (2, 2)
    assert restores.work(NOW) == 0
    assert not (here.audit / "restored").exists()


def test_cold_days_can_be_queried_for_a_while(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket(cold_class="")
    here = stocked(tmp_path, bucket, Tier.COLD)
    restores, fetched = Restores(here, bucket), Fetched(here)

    restores.add(restore(), NOW)
    assert restores.work(NOW) == 0

    assert [fetched.readable(each) for each in files(here)] == [True, True, False]
    assert restores.ready(restore()) == (2, 2)
    assert restores.work(NOW + 7 * DAY) == 0
    assert [fetched.readable(each) for each in files(here)] == [False] * 3
    assert restores.ready(restore()) == (0, 2)


def test_frozen_days_are_asked_for_and_fetched_when_they_are_ready(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    here = stocked(tmp_path, bucket, Tier.COLD)
    restores, fetched = Restores(here, bucket), Fetched(here)
    restores.add(restore(), NOW)

    assert restores.work(NOW) == 2  # asked for
    assert restores.ready(restore()) == (0, 2)
    assert restores.work(NOW + 60) == 0

    assert [fetched.readable(each) for each in files(here)] == [True, True, False]
    heads = [s3.boto.head_object(Bucket=bucket.name, Key=key) for key in s3.keys(bucket)]
    assert ["Restore" in head for head in heads] == [True, True, False]


def test_cold_days_in_a_class_that_can_be_read_are_fetched_at_once(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket(cold_class="GLACIER_IR")
    here = stocked(tmp_path, bucket, Tier.COLD)
    restores = Restores(here, bucket)

    restores.add(restore(), NOW)

    assert restores.work(NOW) == 0
    assert restores.ready(restore()) == (2, 2)


def test_what_was_asked_for_survives_a_restart_until_its_end(tmp_path: Path) -> None:
    here = stocked(tmp_path, None, Tier.COLD)
    long = restore("2025-10-22", NOW + 30 * DAY)
    Restores(here, None).add(restore(), NOW)

    Restores(here, None).add(long, NOW + DAY)
    assert Restores(here, None).asked() == (restore(), long)
    Restores(here, None).add(long, NOW + 8 * DAY)

    assert Restores(here, None).asked() == (long, long)
    assert (here.audit / NAME).stat().st_mode & 0o777 == 0o600


def test_days_that_two_asked_for_stay_for_the_longer(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket(cold_class="")
    here = stocked(tmp_path, bucket, Tier.COLD)
    restores, fetched = Restores(here, bucket), Fetched(here)
    restores.add(restore("2025-10-22", NOW + DAY), NOW)
    restores.add(restore("2025-10-20", NOW + 9 * DAY), NOW)
    restores.work(NOW)

    restores.work(NOW + 2 * DAY)

    assert [fetched.readable(each) for each in files(here)] == [True, False, False]


def test_only_cold_files_are_covered(tmp_path: Path) -> None:
    here = stocked(tmp_path, None, Tier.WARM, days=1)

    assert not covers(restore(), files(here)[0])
    assert Restores(here, None).ready(restore()) == (0, 0)


def test_a_damaged_list_is_told(tmp_path: Path) -> None:
    here = stocked(tmp_path, None, Tier.COLD, days=1)
    (here.audit / NAME).write_bytes(b"{")

    with pytest.raises(UpkeepError, match=r"restores\.json cannot be read"):
        Restores(here, None).work(NOW)
