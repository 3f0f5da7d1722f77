import os
import stat
from pathlib import Path

import pytest

from tests.torhaus.store.audit.ledgers import no_file_over, sealed
from torhaus.store.audit.disk import prepare
from torhaus.store.audit.segments import Segment, segments, stamp

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
    size = 3000
    with no_file_over(size), pytest.raises(OSError, match="too large"):
        segment.append(b"x" * size)
    assert segment.path.stat().st_size == size

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
        segment.append(b"one\n")
        segment.close()
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
