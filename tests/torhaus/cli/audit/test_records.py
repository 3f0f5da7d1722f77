"""Audit records, read while others write them."""

from pathlib import Path

from tests.torhaus.cli.audit.records_on_disk import operations, record, segment
from torhaus.cli.audit.records import Follower, directory

PROBE = b" " * 4095 + b"\n"


def test_the_newest_come_from_as_many_segments_as_needed(tmp_path: Path) -> None:
    segment(tmp_path, 1, record(1, "a") + record(2, "b"))
    segment(tmp_path, 2, record(3, "c"))
    segment(tmp_path, 3, record(4, "d"))

    assert operations(Follower(tmp_path).newest(3)) == ["b", "c", "d"]
    assert operations(Follower(tmp_path).newest(99)) == ["a", "b", "c", "d"]
    assert Follower(tmp_path).newest(0) == []


def test_segments_written_side_by_side_are_told_in_the_order_of_time(tmp_path: Path) -> None:
    segment(tmp_path, 1, record(1, "a") + record(4, "d"))
    segment(tmp_path, 2, record(2, "b") + record(3, "c"))

    assert operations(Follower(tmp_path).newest(3)) == ["b", "c", "d"]


def test_a_long_segment_is_read_from_its_end(tmp_path: Path) -> None:
    many = b"".join(record(1, f"op{number}") for number in range(5000))
    segment(tmp_path, 1, many + record(2, "last"))

    assert operations(Follower(tmp_path).newest(2)) == ["op4999", "last"]


def test_a_follower_sees_what_is_added_once_it_is_whole(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, record(1, "a") + record(2, "b")[:20])
    follower = Follower(tmp_path)
    assert operations(follower.newest(9)) == ["a"]

    assert follower.more() == []
    with path.open("ab") as stream:
        stream.write(record(2, "b")[20:])

    assert operations(follower.more()) == ["b"]
    assert follower.more() == []


def test_a_follower_goes_on_in_the_next_segment(tmp_path: Path) -> None:
    old = segment(tmp_path, 1, record(1, "a"))
    follower = Follower(tmp_path)
    follower.newest(0)

    with old.open("ab") as stream:
        stream.write(record(2, "b"))
    segment(tmp_path, 2, record(3, "c"))
    assert operations(follower.more()) == ["b", "c"]

    old.unlink()
    assert follower.more() == []


def test_a_follower_may_come_before_the_first_record(tmp_path: Path) -> None:
    follower = Follower(directory(tmp_path))
    assert follower.newest(5) == []
    assert follower.more() == []

    segment(directory(tmp_path), 1, record(1, "a"))

    assert operations(follower.more()) == ["a"]


def test_a_proof_that_the_disk_writes_hides_no_record(tmp_path: Path) -> None:
    first = record(1, "a")
    path = segment(tmp_path, 1, first + PROBE)
    follower = Follower(tmp_path)
    assert operations(follower.newest(9)) == ["a"]
    assert follower.more() == []

    path.write_bytes(first + b"".join(record(2, f"b{n}") for n in range(40)))

    assert len(follower.more()) == 40


def test_a_write_that_was_taken_back_is_read_again(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, record(1, "a") + record(2, "b"))
    follower = Follower(tmp_path)
    follower.newest(9)

    path.write_bytes(record(1, "a"))
    assert follower.more() == []
    path.write_bytes(record(1, "a") + record(3, "c"))

    assert operations(follower.more()) == ["c"]


def test_marks_are_not_told(tmp_path: Path) -> None:
    head, mark = b'{"segment":{"name":"x"}}\n', b'{"checkpoint":{"at":"x"}}\n'
    path = segment(tmp_path, 1, head + record(1, "a") + mark + record(2, "b") + mark * 5000)
    follower = Follower(tmp_path)

    assert operations(follower.newest(1)) == ["b"]
    assert operations(follower.newest(9)) == ["a", "b"]

    with path.open("ab") as stream:
        stream.write(mark + record(3, "c") + mark)
    assert operations(follower.more()) == ["c"]
    assert follower.more() == []
