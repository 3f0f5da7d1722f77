import os
import stat
from pathlib import Path

import pytest

from tests.torhaus.store.audit.ledgers import sealed
from torhaus.store.audit.disk import prepare
from torhaus.store.audit.segments import Segment, repair, segments, stamp

AT = 1760970191.234


def test_a_segment_holds_what_was_appended(tmp_path: Path):
    segment = Segment(tmp_path, stamp(AT))
    segment.append(b"one\n")
    segment.append(b"two\n")

    assert segment.path.read_bytes() == b"one\ntwo\n"
    assert segment.size == 8
    segment.close()


def test_a_cut_takes_back_what_was_not_finished(tmp_path: Path):
    segment = Segment(tmp_path, stamp(AT))
    segment.append(b"one\n")
    with segment.path.open("ab") as file:
        file.write(b"hal")

    segment.cut()
    segment.append(b"two\n")

    assert segment.path.read_bytes() == b"one\ntwo\n"
    segment.close()


def test_a_proof_leaves_nothing_behind(tmp_path: Path):
    segment = Segment(tmp_path, stamp(AT))
    segment.append(b"one\n")

    segment.prove()

    assert segment.path.read_bytes() == b"one\n"
    segment.close()


def test_a_segment_is_locked_until_it_is_sealed(tmp_path: Path):
    segment = Segment(tmp_path, stamp(AT))
    segment.append(b"one\n")

    assert not sealed(segment.path)
    segment.close()
    assert sealed(segment.path)


def test_an_empty_segment_leaves_no_file(tmp_path: Path):
    Segment(tmp_path, stamp(AT)).close()

    assert list(tmp_path.iterdir()) == []


def test_nobody_else_may_read(tmp_path: Path):
    before = os.umask(0)
    try:
        prepare(tmp_path / "audit" / "hot")
        segment = Segment(tmp_path / "audit" / "hot", stamp(AT))
        segment.append(b"one\ntorn")
        segment.close()
        assert list(repair(tmp_path / "audit" / "hot")) == [(segment.path, 4)]
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "audit").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "audit" / "hot").stat().st_mode) == 0o700
    for path in (tmp_path / "audit" / "hot").iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_names_sort_by_time(tmp_path: Path):
    made = [Segment(tmp_path, stamp(AT + i / 10)) for i in range(12)]

    assert segments(tmp_path) == [segment.path for segment in made]
    assert made[0].path.name.startswith(f"seg-20251020T142311234000Z-{os.getpid()}-")
    for segment in made:
        segment.close()


@pytest.mark.parametrize(
    ("found", "kept", "torn"),
    [
        (b"", b"", None),
        (b"one\ntwo\n", b"one\ntwo\n", None),
        (b"one\ntw", b"one\n", b"tw"),
        (b"on", b"", b"on"),
        (b"one\n" + b"\0" * 4096, b"one\n", b"\0" * 4096),
        (b"one\n" + b"x" * 200_000, b"one\n", b"x" * 200_000),
    ],
)
def test_a_torn_last_line_is_cut_off_and_kept(
    tmp_path: Path, found: bytes, kept: bytes, torn: bytes | None
):
    path = tmp_path / "seg-x.jsonl"
    path.write_bytes(found)

    repaired = list(repair(tmp_path))

    assert path.read_bytes() == kept
    beside = tmp_path / "seg-x.jsonl.torn"
    assert (beside.read_bytes() if beside.exists() else None) == torn
    assert repaired == ([] if torn is None else [(path, len(torn))])
    assert list(repair(tmp_path)) == []


def test_a_segment_that_is_being_written_is_left_alone(tmp_path: Path):
    segment = Segment(tmp_path, stamp(AT))
    segment.append(b"one\n")
    with segment.path.open("ab") as file:
        file.write(b"hal")

    assert list(repair(tmp_path)) == []

    assert segment.path.read_bytes() == b"one\nhal"
    segment.close()


def test_a_link_in_place_of_a_segment_is_not_followed(tmp_path: Path):
    secret = tmp_path / "elsewhere"
    secret.write_bytes(b"no newline")
    (tmp_path / "seg-x.jsonl").symlink_to(secret)

    with pytest.raises(OSError, match="symbolic links"):
        list(repair(tmp_path))

    assert secret.read_bytes() == b"no newline"
