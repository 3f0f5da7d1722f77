"""How far each sink has come."""

from pathlib import Path

import pytest

from tests.torhaus.store.audit.sinks.receivers import logged
from torhaus.store.audit.sinks.positions import (
    Book,
    DamagedBookError,
    Place,
    Positions,
    awaited,
    load,
    shelf,
    undelivered,
)


def delivered(audit: Path, name: str, *paths: Path) -> None:
    positions = Positions(audit, name)
    assert positions.take()
    positions.book.segments.update({path.name: Place(path.stat().st_size, 1, 1) for path in paths})
    positions.save()
    positions.release()


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    delivered(tmp_path, "siem", logged(tmp_path, 1, "a"))

    book = load(tmp_path, "siem")

    assert book is not None
    assert [place.records for place in book.segments.values()] == [1]
    assert (shelf(tmp_path) / "siem.json").stat().st_mode & 0o777 == 0o600
    assert shelf(tmp_path).stat().st_mode & 0o777 == 0o700


def test_a_sink_has_one_holder(tmp_path: Path) -> None:
    one, two = Positions(tmp_path, "siem"), Positions(tmp_path, "siem")

    assert one.take()
    assert not two.take()
    one.release()
    assert two.take()
    two.release()


def test_an_empty_file_of_a_power_cut_is_no_position(tmp_path: Path) -> None:
    shelf(tmp_path).mkdir(parents=True)
    (shelf(tmp_path) / "siem.json").touch()

    assert load(tmp_path, "siem") is None


def test_what_is_saved_again_at_once_is_loaded_too(tmp_path: Path) -> None:
    positions = Positions(tmp_path, "siem")
    assert positions.take()
    for delivered in (1, 2, 3):
        positions.book.delivered = delivered
        positions.save()
    positions.release()

    book = load(tmp_path, "siem")

    assert book is not None
    assert book.delivered == 3


def test_a_sink_that_never_delivered_has_no_position(tmp_path: Path) -> None:
    assert load(tmp_path, "siem") is None


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"segments":{"a":1}}', b"\xff"])
def test_a_damaged_position_is_told(tmp_path: Path, content: bytes) -> None:
    shelf(tmp_path).mkdir(parents=True)
    (shelf(tmp_path) / "siem.json").write_bytes(content)

    with pytest.raises(DamagedBookError, match="is damaged: remove it"):
        load(tmp_path, "siem")


def test_segments_are_awaited_until_every_sink_has_them(tmp_path: Path) -> None:
    one, two = logged(tmp_path, 1, "a"), logged(tmp_path, 2, "b")
    delivered(tmp_path, "siem", one, two)
    delivered(tmp_path, "search", one)

    assert awaited(tmp_path, ["siem"], 60, two.stat().st_mtime) == set()
    assert awaited(tmp_path, ["siem", "search"], 60, two.stat().st_mtime) == {two.name}
    assert awaited(tmp_path, ["siem", "new"], 60, two.stat().st_mtime) == {one.name, two.name}
    assert awaited(tmp_path, [], 60, two.stat().st_mtime) == set()


def test_patience_ends(tmp_path: Path) -> None:
    one = logged(tmp_path, 1, "a")

    assert awaited(tmp_path, ["siem"], 60, one.stat().st_mtime + 59) == {one.name}
    assert awaited(tmp_path, ["siem"], 60, one.stat().st_mtime + 61) == set()


def test_a_damaged_position_holds_everything(tmp_path: Path) -> None:
    one = logged(tmp_path, 1, "a")
    delivered(tmp_path, "siem", one)
    (shelf(tmp_path) / "siem.json").write_bytes(b"{")

    assert awaited(tmp_path, ["siem"], 60, one.stat().st_mtime) == {one.name}


def test_the_oldest_undelivered_segment_of_each_sink_is_told(tmp_path: Path) -> None:
    one, two = logged(tmp_path, 1, "a"), logged(tmp_path, 2, "b")
    delivered(tmp_path, "siem", one, two)
    delivered(tmp_path, "search", one)

    assert undelivered(tmp_path, ["siem", "search", "new"]) == {
        "search": two.name,
        "new": one.name,
    }


def test_a_new_book_is_empty() -> None:
    assert (Book().delivered, Book().segments) == (0, {})
