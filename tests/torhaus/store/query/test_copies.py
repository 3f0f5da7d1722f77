from pathlib import Path

from tests.torhaus.store.audit.s3 import S3
from tests.torhaus.store.audit.test_fetched import files, stocked
from tests.torhaus.store.audit.tiers.stock import DAY, MORNING, ids, record
from torhaus.model.asking import Skipped
from torhaus.model.keeping import Restore, Tier
from torhaus.store.audit.fetched import Fetched
from torhaus.store.audit.tiers.restoring import Restores
from torhaus.store.query.copies import copying
from torhaus.store.query.files import AuditFiles


def test_warm_days_are_found_as_copies(s3: S3, tmp_path: Path) -> None:
    here = stocked(tmp_path, s3.bucket(), Tier.WARM)

    found = AuditFiles(here.audit, copying(Fetched(here))).find("2025-10-20", "2025-10-21")

    assert found.skipped == ()
    assert ids(map(Path, found.days)) == [record(0, day).request_id for day in range(2)]


def test_cold_days_are_told_with_the_command_that_restores_them(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    here = stocked(tmp_path, bucket, Tier.COLD)
    fetch = copying(Fetched(here))

    assert fetch(files(here)).paths == ()
    assert fetch(files(here)).skipped == (
        Skipped(
            days=("2025-10-20", "2025-10-21", "2025-10-22"),
            why="cold",
            fix="restore with torhaus audit restore --from 2025-10-20 --to 2025-10-22",
        ),
    )

    restores, now = Restores(here, bucket), MORNING + 400 * DAY
    wish = Restore(
        id="r", first_day="2025-10-20", last_day="2025-10-22", until=now + DAY, by="dana"
    )
    restores.add(wish, now)
    restores.work(now)
    restores.work(now)
    assert len(fetch(files(here)).paths) == 3
    assert fetch(files(here)).skipped == ()


def test_a_day_that_cannot_be_had_takes_no_other_along(s3: S3, tmp_path: Path) -> None:
    bucket = s3.bucket()
    here = stocked(tmp_path, bucket, Tier.WARM)
    s3.boto.delete_object(Bucket=bucket.name, Key=s3.keys(bucket)[1])

    found = copying(Fetched(here))(files(here))

    assert len(found.paths) == 2
    (skipped,) = found.skipped
    assert skipped.days == ("2025-10-21",)
    assert "unreachable: it is not in the bucket" in skipped.why
