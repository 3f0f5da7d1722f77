import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.torhaus.store.audit.logs import (
    checked,
    edited,
    head,
    left_live,
    told,
    write,
)
from torhaus.store.audit.journal import NAME
from torhaus.store.audit.segments import segments

ROOT = Path(__file__).parents[4]
RECORDS = 40


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("log") / "data"
    write(data, RECORDS)
    return data


@pytest.fixture
def data(written: Path, tmp_path: Path) -> Path:
    shutil.copytree(written, tmp_path / "data")
    return tmp_path / "data"


def hot(data: Path) -> list[Path]:
    return segments(data / "audit" / "hot")


def test_what_the_writer_leaves_is_in_order(data: Path):
    report = checked(data, head(data))

    assert told(report) == []
    assert report.records == RECORDS
    assert report.sealed == len(hot(data)) >= 3
    assert report.lines == 2 * report.sealed
    assert report.notes == []


def test_the_private_key_is_not_needed(data: Path):
    (data / "audit.key").unlink()

    assert told(checked(data)) == []
    assert not (data / "audit.key").exists()


def test_it_changes_nothing(data: Path):
    before = {each: each.read_bytes() for each in data.rglob("*") if each.is_file()}

    checked(data)

    assert {each: each.read_bytes() for each in data.rglob("*") if each.is_file()} == before


def test_a_log_that_was_never_begun_is_in_order(tmp_path: Path):
    assert told(checked(tmp_path)) == []


Change = Callable[[list[bytes]], list[bytes]]

SEGMENT_CHANGES: dict[str, tuple[Change, str]] = {
    "one bit": (lambda x: [*x[:3], flipped(x[3]), *x[4:]], ":4: was changed"),
    "removed": (lambda x: [*x[:3], *x[4:]], ":4: comes after 1 record that was removed"),
    "inserted": (lambda x: [*x[:3], x[2], *x[3:]], ":4: was inserted"),
    "reordered": (lambda x: [*x[:2], x[3], x[2], *x[4:]], ":3: begins 2 records that were"),
    "the end": (lambda x: x[:-2], "octets are missing; it ends with line"),
    "a torn end": (lambda x: [*x[:-1], x[-1][:9]], "octets are missing"),
    "the head": (lambda x: [flipped(x[0]), *x[1:]], ":1: is"),
    "a checkpoint": (lambda x: [*x[:6], flipped(x[6]), *x[7:]], ":7: "),
    "everything": (lambda _: [], "octets are missing"),
}


def flipped(line: bytes) -> bytes:
    """One bit, of the last digit of a time."""
    at = line.index(b"Z")
    return line[: at - 1] + bytes([line[at - 1] ^ 1]) + line[at:]


@pytest.mark.parametrize(("change", "word"), SEGMENT_CHANGES.values(), ids=SEGMENT_CHANGES.keys())
def test_every_change_of_a_segment_is_found_and_named(data: Path, change: Change, word: str):
    path = hot(data)[1]
    edited(path, change)

    found = told(checked(data))

    assert any(word in each for each in found), found
    assert all(each.startswith(f"hot/{path.name}") for each in found)


def test_a_missing_segment_is_named_with_its_records(data: Path):
    path = hot(data)[1]
    path.unlink()

    (found,) = told(checked(data))

    assert found.startswith(f"hot/{path.name}: the segment is missing, with ")


def test_a_segment_in_anothers_place_is_found(data: Path):
    one, two = hot(data)[:2]
    one.write_bytes(two.read_bytes())

    assert any("is the head of" in each for each in told(checked(data)))


def test_a_segment_nobody_wrote_is_found(data: Path):
    path = hot(data)[0]
    shutil.copy(path, path.with_name("seg-20300101T000000000000Z-1-aa.jsonl"))

    assert any("the journal does not know it" in each for each in told(checked(data)))


def test_a_link_in_place_of_a_segment_is_not_followed(data: Path):
    path = hot(data)[0]
    path.rename(data / "elsewhere")
    path.symlink_to(data / "elsewhere")

    assert any("cannot be read" in each for each in told(checked(data)))


JOURNAL_CHANGES: dict[str, tuple[Change, str]] = {
    "one bit": (lambda x: [*x[:1], flipped(x[1]), *x[2:]], f"{NAME}:2: was changed or forged"),
    "removed": (lambda x: [*x[:1], *x[2:]], f"{NAME}:2: is number 3: 1 line before it gone"),
    "copied": (lambda x: [*x[:2], x[1], *x[2:]], f"{NAME}:3: is number 2, and should be 3"),
    "reordered": (lambda x: [x[0], x[2], x[1], *x[3:]], f"{NAME}:2: is number 3"),
    "a torn end": (lambda x: [*x[:-1], x[-1][:9]], "has no end"),
    "the beginning": (lambda x: x[2:], f"{NAME}:1: is number 3: 2 lines before it gone"),
    "the seal": (lambda x: x[:1], "the journal does not know it"),
}


@pytest.mark.parametrize(("change", "word"), JOURNAL_CHANGES.values(), ids=JOURNAL_CHANGES.keys())
def test_every_change_of_the_journal_is_found_and_named(data: Path, change: Change, word: str):
    edited(data / "audit" / NAME, change)

    found = told(checked(data))

    assert any(word in each for each in found), found


def test_a_cut_end_shows_against_a_head_that_was_kept_elsewhere(data: Path):
    kept = head(data)
    last = hot(data)[-1]
    edited(data / "audit" / NAME, lambda x: x[:-2])
    last.unlink()

    assert told(checked(data)) == []
    (found,) = told(checked(data, kept))

    count = kept.number
    assert found.startswith(
        f"{NAME}: it ends with line {count - 2}, and line {count} was published: 2 lines are gone"
    )


def test_a_replaced_journal_shows_against_a_head_that_was_kept_elsewhere(data: Path):
    kept = head(data)
    shutil.rmtree(data / "audit" / "hot")
    (data / "audit" / NAME).unlink()
    write(data, RECORDS, start=100)

    assert told(checked(data)) == []
    (found,) = told(checked(data, kept))

    assert "is not the line that was published: it was replaced" in found


def test_a_journal_signed_by_another_key_shows(data: Path):
    (data / "audit.key").unlink()
    write(data, 3, start=100)

    (found,) = told(checked(data))

    assert "signed by another key" in found


def test_a_key_nobody_knows_shows(data: Path):
    for each in (data / "audit" / "keys").iterdir():
        each.unlink()

    assert all("unknown key" in each or "does not know" in each for each in told(checked(data)))
    assert len(told(checked(data))) > 2


def test_a_segment_without_a_seal_is_proved_up_to_its_last_checkpoint(tmp_path: Path):
    path = left_live(tmp_path, 20)

    report = checked(tmp_path)
    assert told(report) == []
    assert report.live == 1
    assert [each.what for each in report.notes] == [
        "its process died: it is sealed at the next start"
    ]

    edited(path, lambda x: [*x[:3], flipped(x[3]), *x[4:]])
    assert told(checked(tmp_path)) == [f"hot/{path.name}:4: was changed"]
    path.unlink()
    (found,) = told(checked(tmp_path))
    assert "the segment is missing, with an unknown number of records" in found


def test_the_cut_end_of_a_live_segment_shows_against_a_published_head(tmp_path: Path):
    path = left_live(tmp_path, 20)
    kept = head(tmp_path)
    assert [each.records for each in kept.live.values()] == [20]

    edited(path, lambda x: x[:7])

    assert told(checked(tmp_path)) == []
    (found,) = told(checked(tmp_path, kept))
    assert "a checkpoint after 20 records was published; it is gone" in found


def test_a_segment_being_written_is_no_fault(tmp_path: Path):
    from tests.torhaus.store.audit.test_proved import LINE, segment  # noqa: PLC0415

    one = segment(tmp_path)
    one.append(LINE)

    report = checked(tmp_path)

    assert told(report) == []
    assert "1 records await their checkpoint" in report.notes[0].what
    one.seal()


def test_since_leaves_out_what_ended_before(data: Path):
    assert checked(data, since="2025-10-20").left_out == 0
    hot(data)[0].unlink()

    report = checked(data, since="2025-10-21")

    assert told(report) == []
    assert report.left_out == report.lines // 2


often = settings(
    max_examples=40,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@often
@given(where=st.integers(0, 1 << 30), difference=st.integers(1, 255))
def test_no_octet_of_a_sealed_segment_can_be_changed_unnoticed(
    written: Path, where: int, difference: int
):
    all_found_with(written, hot(written)[1], where, difference)


@often
@given(where=st.integers(0, 1 << 30), difference=st.integers(1, 255))
def test_no_octet_of_the_journal_can_be_changed_unnoticed(
    written: Path, where: int, difference: int
):
    all_found_with(written, written / "audit" / NAME, where, difference)


def all_found_with(data: Path, path: Path, where: int, difference: int) -> None:
    whole = path.read_bytes()
    changed = bytearray(whole)
    changed[where % len(whole)] ^= difference
    path.write_bytes(changed)
    try:
        assert told(checked(data)) != []
    finally:
        path.write_bytes(whole)


def test_a_pipe_in_the_place_of_a_segment_holds_up_nobody(data: Path):
    path = hot(data)[0]
    path.unlink()
    os.mkfifo(path)

    assert told(checked(data)) == [f"hot/{path.name}: it cannot be read: it is no plain file"]


def test_a_log_that_was_wholly_removed_is_not_in_order(data: Path):
    shutil.rmtree(data / "audit" / "hot")
    (data / "audit" / NAME).unlink()

    assert told(checked(data)) == [
        "journal.jsonl: there is no journal, though a key was made to sign it"
    ]


def test_a_segment_without_a_head_that_was_put_there_is_found(data: Path):
    lines = [x for x in hot(data)[0].read_bytes().splitlines(True) if x[2:6] == b"time"]
    added = hot(data)[0].with_name("seg-x.jsonl")
    added.write_bytes(lines[0].replace(lines[0][14:38], b"2099-01-01T00:00:00.000Z"))

    assert told(checked(data)) == ["hot/seg-x.jsonl: the journal does not know it"]
