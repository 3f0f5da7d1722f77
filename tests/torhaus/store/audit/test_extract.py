"""Records out of segments and day files, in the order of time."""

from pathlib import Path

import duckdb
import pytest

from tests.torhaus.cli.audit.records_on_disk import record, segment
from torhaus.audit.holdings import Segment
from torhaus.audit.part import EVERYTHING, Part
from torhaus.model.record import Record
from torhaus.store.audit.extract import ExtractError, Files, extracted

HEAD = b'{"segment":{"name":"seg-1.jsonl"}}\n'
CHECKPOINT = b'{"checkpoint":{"records":1}}\n'


def listed(*paths: Path) -> list[Segment]:
    return [Segment(str(path)) for path in paths]


def lines(files: Files, at: Path, part: Part = EVERYTHING) -> list[bytes]:
    with extracted(lambda: files, part.takes, at) as found:
        return [line + b"\n" for line in found.lines()]


def day_file(at: Path, *content: bytes) -> Path:
    """As compaction writes them."""
    source = segment(at / "source", 9, b"".join(content))
    target = at / "day.parquet"
    with (
        extracted(lambda: Files(segments=listed(source)), EVERYTHING.takes, at) as found,
        found.parquet() as stream,
    ):
        target.write_bytes(stream.read())
    return target


def test_records_of_all_segments_come_in_the_order_of_time(tmp_path: Path) -> None:
    one = segment(tmp_path, 1, HEAD + record(3, "git_log") + CHECKPOINT + record(1, "git_show"))
    two = segment(tmp_path, 2, record(2, "git_diff"))

    found = lines(Files(segments=listed(one, two)), tmp_path)

    assert found == [record(1, "git_show"), record(2, "git_diff"), record(3, "git_log")]


def test_records_are_those_of_the_segment_byte_for_byte(tmp_path: Path) -> None:
    odd = record(1, "git_log").replace(
        b'"parameters":{}', b'"parameters":{"a": 1.0, "b":"\\u00e4"}'
    )

    assert lines(Files(segments=listed(segment(tmp_path, 1, odd))), tmp_path) == [odd]


def test_records_of_a_day_file_are_as_they_were_written(tmp_path: Path) -> None:
    content = [record(second, "git_log") for second in range(5)]

    found = lines(Files(days=[day_file(tmp_path, *content)]), tmp_path)

    assert found == [line.replace(b'"duration_ms":1.0', b'"duration_ms":1') for line in content]


def test_damaged_lines_are_counted_and_a_line_being_written_is_not(tmp_path: Path) -> None:
    content = b"{torn\n \n\xff\xfe\n" + record(1, "git_log") + record(2, "git_show")[:-1]
    path = segment(tmp_path, 1, content)

    with extracted(lambda: Files(segments=listed(path)), EVERYTHING.takes, tmp_path) as found:
        assert list(found.lines()) == [record(1, "git_log")[:-1]]
        assert (found.count, found.damaged) == (1, 2)


def test_only_wanted_records_are_taken(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, record(1, "git_log") + record(2, "git_show"))

    found = lines(Files(segments=listed(path)), tmp_path, Part(operation="git_show"))

    assert found == [record(2, "git_show")]


def test_parquet_has_the_columns_of_a_record(tmp_path: Path) -> None:
    path = day_file(tmp_path, record(2, "git_log"), record(1, "git_show"))

    rows = duckdb.sql(f"SELECT operation, \"user\".email, result.status FROM '{path}'").fetchall()

    assert rows == [
        ("git_show", "alice@example.com", "success"),
        ("git_log", "alice@example.com", "success"),
    ]


def test_files_that_go_away_meanwhile_are_listed_again(tmp_path: Path) -> None:
    there = segment(tmp_path, 1, record(1, "git_log"))
    lists = [Files(segments=listed(there, tmp_path / "gone.jsonl")), Files(segments=listed(there))]

    with extracted(lambda: lists.pop(0), EVERYTHING.takes, tmp_path) as found:
        assert found.count == 1


def test_files_that_are_missing_are_told(tmp_path: Path) -> None:
    there = segment(tmp_path, 1, record(1, "git_log"))
    files = Files(
        segments=listed(there, tmp_path / "gone.jsonl"),
        days=[tmp_path / "gone.parquet"],
        skipped=["2 days skipped: cold"],
    )

    with extracted(lambda: files, all_, tmp_path) as found:
        assert found.count == 1
        assert [each.rpartition("/")[2] for each in found.left_out] == [
            "2 days skipped: cold",
            "gone.jsonl is missing: see torhaus audit verify",
            "gone.parquet is missing: see torhaus audit verify",
        ]


def test_days_that_are_in_day_files_are_not_read_from_segments_too(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, record(1, "git_log"))
    files = Files(segments=[Segment(str(path), ("2026-01-01",))])

    assert lines(files, tmp_path) == []


def test_a_day_file_that_is_none_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "it's.parquet"
    broken.write_bytes(b"no parquet")

    with (
        pytest.raises(ExtractError, match="cannot be read"),
        extracted(lambda: Files(days=[broken]), all_, tmp_path),
    ):
        pass


def test_nothing_is_left_behind(tmp_path: Path) -> None:
    path = day_file(tmp_path, record(1, "git_log"))

    lines(Files(days=[path]), tmp_path)

    assert sorted(each.name for each in tmp_path.iterdir()) == ["day.parquet", "source"]


def all_(_record: Record) -> bool:
    return True
