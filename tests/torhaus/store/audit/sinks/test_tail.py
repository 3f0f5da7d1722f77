"""What is read of segments, and what is not yet."""

from pathlib import Path

import pytest

from tests.torhaus.cli.audit.records_on_disk import record, segment
from torhaus.store.audit.sinks.positions import Book, Place
from torhaus.store.audit.sinks.tail import STANDS, Load, Tail


class Reading:
    """A tail with a clock that is turned by hand."""

    def __init__(self, hot: Path, book: Book | None = None) -> None:
        self.now = 0.0
        self.book = Book() if book is None else book
        self.tail = Tail(hot, self.book, clock=lambda: self.now)

    def next(self, most: int = 100) -> Load | None:
        """After the time in which a writer takes back what failed."""
        for _ in range(2):
            self.tail.next(most)
            self.now += 2 * STANDS
        return self.tail.next(most)

    def take(self, most: int = 100) -> list[str]:
        load = self.next(most)
        if load is None:
            return []
        self.book.segments[load.source] = load.place
        return [parcel.record.operation for parcel in load.parcels]


def test_records_are_read_once_it_is_sure_that_they_stay(tmp_path: Path) -> None:
    segment(tmp_path, 1, record(1, "a"))
    reading = Reading(tmp_path)

    assert reading.tail.next(10) is None
    reading.now += STANDS
    found = reading.tail.next(10)

    assert found is not None
    assert [(parcel.record.operation, parcel.number) for parcel in found.parcels] == [("a", 1)]


def test_what_the_writer_took_back_is_never_read(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, record(1, "a"))
    reading = Reading(tmp_path)
    assert reading.take() == ["a"]
    size = path.stat().st_size
    with path.open("ab") as stream:
        stream.write(record(2, "failed"))
    reading.tail.next(10)
    with path.open("r+b") as stream:
        stream.truncate(size)

    assert reading.take() == []


def test_half_a_line_waits_for_its_other_half(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, record(1, "a") + record(2, "b")[:40])
    reading = Reading(tmp_path)
    assert reading.take() == ["a"]
    assert reading.take() == []

    with path.open("ab") as stream:
        stream.write(record(2, "b")[40:])

    assert reading.take() == ["b"]


def test_a_test_write_at_the_end_is_left_until_it_is_taken_back(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, b" " * 4095 + b"\n")
    reading = Reading(tmp_path)
    assert reading.take() == []

    path.write_bytes(record(1, "a"))

    assert reading.take() == ["a"]


def test_blanks_amid_records_are_passed_over(tmp_path: Path) -> None:
    segment(tmp_path, 1, record(1, "a") + b"    \n" + record(2, "b"))
    reading = Reading(tmp_path)

    assert reading.take() == ["a", "b"]


def test_batches_end_at_the_most_and_go_on_there(tmp_path: Path) -> None:
    segment(tmp_path, 1, b"".join(record(second, f"op{second}") for second in range(5)))
    reading = Reading(tmp_path)

    assert [reading.take(2), reading.take(2), reading.take(2)] == [
        ["op0", "op1"],
        ["op2", "op3"],
        ["op4"],
    ]


def test_segments_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    segment(tmp_path, 2, record(2, "b"))
    segment(tmp_path, 1, record(1, "a"))
    reading = Reading(tmp_path)

    assert [reading.take(), reading.take()] == [["a"], ["b"]]


def test_lines_are_numbered_over_batches_and_restarts(tmp_path: Path) -> None:
    content = b'{"segment":{}}\n' + record(1, "a") + b'{"checkpoint":{}}\n' + record(2, "b")
    segment(tmp_path, 1, content)
    reading = Reading(tmp_path)
    reading.take(1)

    found = Reading(tmp_path, reading.book).next()

    assert found is not None
    assert [parcel.number for parcel in found.parcels] == [4]


def test_lines_longer_than_a_read_are_whole(tmp_path: Path) -> None:
    long = record(1, "a").replace(b'"parameters":{}', b'"parameters":{"x":"%s"}' % (b"y" * 3000000))
    segment(tmp_path, 1, long + record(2, "b"))
    reading = Reading(tmp_path)

    assert reading.take() == ["a", "b"]


def test_a_line_beyond_all_bounds_is_passed_over(tmp_path: Path) -> None:
    segment(tmp_path, 1, b"x" * (17 << 20) + b"\n" + record(2, "b"))
    reading = Reading(tmp_path)

    found = [reading.take(), reading.take()]

    assert ["b"] in found


def test_what_is_behind_is_counted_exactly(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, b'{"segment":{}}\n' + record(1, "a") + record(2, "b"))
    segment(tmp_path, 2, record(3, "c"))
    reading = Reading(tmp_path)
    before = reading.tail.behind()
    reading.take(1)
    amid = reading.tail.behind()
    with path.open("ab") as stream:
        stream.write(b'{"checkpoint":{}}\n' + record(4, "d") + record(5, "e")[:20])

    assert (before, amid, reading.tail.behind()) == (3, 2, 3)


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_bytes(record(1, "a"))
    hot = tmp_path / "hot"
    hot.mkdir()
    (hot / "seg-1.jsonl").symlink_to(other)

    with pytest.raises(OSError, match="symbolic"):
        Tail(hot, Book()).next(1)


def test_a_segment_that_shrank_below_its_position_gives_nothing(tmp_path: Path) -> None:
    path = segment(tmp_path, 1, record(1, "a"))
    book = Book(segments={path.name: Place(path.stat().st_size + 10, 2, 2)})

    assert Reading(tmp_path, book).take() == []
