import os
from hashlib import sha256
from pathlib import Path

import pytest

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.logs import checked, lines, told, write
from torhaus.audit.entries import read
from torhaus.model.evidence import Deleted, Moved, Sealed, Written
from torhaus.store.audit.segments import segments

RECORDS = 40


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write(tmp_path / "data", RECORDS)
    return tmp_path / "data"


FILE = "day=2025-10-20/gate-1-0000000001.parquet"


def filed(data: Path, count: int | None = None) -> Path:
    """A day file of all segments; what is in it is no matter here."""
    book = journal(data)
    found = {each.segment: each.records for each in sealed(data)}
    path = data / "audit" / "hot" / FILE
    path.parent.mkdir(parents=True)
    path.write_bytes(b"PAR1 and so on")
    book.append(
        Written(
            file=FILE,
            day="2025-10-20",
            records=sum(found.values()) if count is None else count,
            octets=14,
            sha256=sha256(b"PAR1 and so on").hexdigest(),
            first="2025-10-20T14:23:11.234Z",
            last="2025-10-20T14:23:11.234Z",
            segments=found,
        )
    )
    return path


def sealed(data: Path) -> list[Sealed]:
    events = [read(line).event for line in lines(data)]
    return [each for each in events if isinstance(each, Sealed)]


def test_a_day_file_takes_the_place_of_its_segments(data: Path):
    path = filed(data)
    for each in segments(data / "audit" / "hot"):
        each.unlink()

    report = checked(data)
    assert told(report) == []
    assert report.days == 1

    path.write_bytes(b"PAR1 and so oN")
    assert told(checked(data)) == [f"hot/{FILE}: it was changed: its digest is not the journal's"]
    path.write_bytes(b"PAR1")
    assert "it has 4 octets; 14 were written" in told(checked(data))[0]
    path.unlink()
    assert f"the file is missing, with {RECORDS} records" in told(checked(data))[0]


def test_a_day_file_with_fewer_records_than_its_segments_had_is_found(data: Path):
    filed(data, RECORDS - 1)

    assert any(f"and its sources {RECORDS}" in each for each in told(checked(data)))


def test_a_day_file_that_moved_is_looked_for_where_it_is(data: Path):
    path = filed(data)
    journal(data).append(Moved(file=FILE, tier="warm", place="local"))
    assert "warm/day=" in told(checked(data))[0]

    (data / "audit" / "warm").mkdir()
    path.parent.rename(data / "audit" / "warm" / path.parent.name)
    assert told(checked(data)) == []

    journal(data).append(Moved(file=FILE, tier="cold", place="s3://bucket"))
    assert checked(data).elsewhere == 1
    journal(data).append(Deleted(file=FILE, why="older than two years"))
    assert told(checked(data)) == []


def test_a_day_file_that_somebody_put_there_is_found(data: Path):
    path = filed(data)
    path.with_name("gate-1-0000000099.parquet").write_bytes(b"PAR1 and so on")
    (path.parent / "x.parquet").write_bytes(b"")
    (data / "audit" / "warm" / path.parent.name).mkdir(parents=True)
    (data / "audit" / "warm" / path.parent.name / path.name).write_bytes(b"the old one")

    assert told(checked(data)) == [
        "hot/day=2025-10-20/gate-1-0000000099.parquet: the journal does not know it, and nothing "
        "reads it",
        "hot/day=2025-10-20/x.parquet: this is no day file's name",
    ]


def test_one_that_a_crash_left_before_its_line_was_written_is_no_fault(data: Path):
    path = filed(data)
    path.with_name("gate-1-0000000002.parquet").write_bytes(b"PAR1 and so on")

    report = checked(data)

    assert told(report) == []
    assert [each.where for each in report.notes] == ["hot/day=2025-10-20/gate-1-0000000002.parquet"]


def test_a_pipe_in_the_place_of_a_day_file_holds_up_nobody(data: Path):
    path = filed(data)
    path.unlink()
    os.mkfifo(path)

    assert told(checked(data)) == [f"hot/{FILE}: it cannot be read: it is no plain file"]
