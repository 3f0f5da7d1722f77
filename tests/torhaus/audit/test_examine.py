import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torhaus.audit.segment_text import examined, record, written
from torhaus.audit.examine import blocks
from torhaus.model.evidence import LiveChain

TEXT, SEALED = written()
LINES = TEXT.splitlines(keepends=True)
# 1 head, 2-4 records, 5 checkpoint, 6-9 records, 10 checkpoint, 11-13 records, 14 checkpoint


def told(text: bytes) -> list[str]:
    return [str(each) for each in examined(text).against(SEALED)]


def lines_told(text: bytes) -> set[int]:
    return {each.line for each in examined(text).against(SEALED)} - {0}


def replaced(number: int, old: bytes, new: bytes) -> bytes:
    changed = LINES[number - 1].replace(old, new, 1)
    assert changed != LINES[number - 1]
    return b"".join([*LINES[: number - 1], changed, *LINES[number:]])


def without(*numbers: int) -> bytes:
    return b"".join(line for at, line in enumerate(LINES, 1) if at not in numbers)


def test_a_segment_as_it_was_written_is_good():
    examiner = examined(TEXT)

    assert examiner.against(SEALED) == []
    assert (examiner.records, examiner.checkpoints, examiner.unproved) == (10, 3, 0)
    assert examiner.head is not None


@pytest.mark.parametrize("chunk", [1, 7, 60, 200, 333, 10_000])
def test_it_does_not_matter_in_what_chunks_it_is_read(chunk: int):
    assert examined(TEXT, chunk=chunk).against(SEALED) == []
    assert [*blocks([TEXT])] == [
        *blocks([TEXT[at : at + chunk] for at in range(0, len(TEXT), chunk)])
    ]


CHANGES: dict[str, tuple[bytes, str]] = {
    "a record was changed": (replaced(7, b'"id"', b'"iD"'), "line 7 was changed"),
    "two records": (replaced(6, b'"id"', b'"ix"'), "line 6 was changed"),
    "a record was removed": (without(7), "line 7 comes after 1 record that was removed"),
    "the first record": (without(2), "line 2 comes after 1 record that was removed"),
    "the last record": (without(13), "line 13 comes after 1 record that was removed"),
    "a record was inserted": (
        b"".join([*LINES[:7], record(99), *LINES[7:]]),
        "line 8 was inserted",
    ),
    "a record was copied": (b"".join([*LINES[:7], LINES[6], *LINES[7:]]), "line 8 was inserted"),
    "two were exchanged": (
        b"".join([*LINES[:6], LINES[7], LINES[6], *LINES[8:]]),
        "line 7 begins 2 records that were reordered",
    ),
    "exchanged over a checkpoint": (
        b"".join([*LINES[:2], LINES[6], *LINES[3:6], LINES[2], *LINES[7:]]),
        "line 3 was changed",
    ),
    "the head was changed": (replaced(1, b"gate-1", b"gate-2"), "line 1 is a mark"),
    "the head is another's": (
        replaced(1, b"seg-1", b"seg-2"),
        "line 1 is the head of 'seg-2.jsonl'",
    ),
    "the head is spoiled": (replaced(1, b'"node"', b'"nude"'), "line 1 is the head, and was"),
    "the head was removed": (without(1), "line 1 is no head"),
    "a checkpoint's time": (replaced(5, b"2025", b"2026"), "line 5 is a mark, and was changed"),
    "a checkpoint's chain": (
        replaced(5, b'"chain":"', b'"chain":"0'),
        "line 5 is a checkpoint, and was changed",
    ),
    "a checkpoint's count": (replaced(10, b":7,", b":8,"), "line 10 says 8 records, not 7"),
    "a checkpoint is none any more": (
        replaced(5, b'{"checkpoint"', b'{"checkpaint"'),
        "line 5 was a checkpoint, and was changed",
    ),
    "a checkpoint is spoiled": (
        replaced(5, b'"at"', b'"ta"'),
        "line 5 is a checkpoint, and was changed",
    ),
    "a checkpoint was removed": (
        without(5),
        "line 5 comes after a checkpoint that was removed",
    ),
    "the last checkpoint": (replaced(14, b"2025", b"2026"), "line 14, its last checkpoint,"),
    "a break was lost": (replaced(7, b"\n", b" "), "line 7 begins 1 line where 2 records"),
    "a block was removed": (without(6, 7, 8, 9, 10), "it has 6 records; 10 were sealed"),
    "the end was cut off": (b"".join(LINES[:10]), "octets are missing; it ends with line 10"),
    "the end was torn off": (TEXT[:-3], "3 octets are missing"),
    "something was added": (TEXT + record(99), "octets too long"),
    "it is empty": (b"", "octets are missing"),
}


@pytest.mark.parametrize(("text", "word"), CHANGES.values(), ids=CHANGES.keys())
def test_every_manipulation_is_found_and_named(text: bytes, word: str):
    found = told(text)

    assert any(word in each for each in found), found


@pytest.mark.parametrize("number", range(2, 14))
def test_a_changed_line_is_the_only_one_named(number: int):
    if LINES[number - 1].startswith(b'{"checkpoint"'):
        return

    assert lines_told(replaced(number, b'"', b"'")) == {number}


def test_two_changed_blocks_are_both_named():
    text = replaced(3, b'"id"', b'"iD"').replace(LINES[11], LINES[11].replace(b"id", b"di"))

    assert lines_told(text) == {3, 12}


@given(st.integers(0, len(TEXT) - 1), st.integers(1, 255))
def test_no_octet_can_be_changed_unnoticed(at: int, difference: int):
    changed = bytearray(TEXT)
    changed[at] ^= difference

    found = examined(bytes(changed)).against(SEALED)

    assert found
    number = TEXT[:at].count(b"\n") + 1
    named = [int(each) for fault in found for each in re.findall(r"line (\d+)", str(fault))]
    assert not named or min(abs(each - number) for each in named) <= 1


@given(st.integers(0, len(TEXT)), st.binary(min_size=1, max_size=3))
def test_nothing_can_be_added_unnoticed(at: int, more: bytes):
    assert examined(TEXT[:at] + more + TEXT[at:]).against(SEALED)


@given(st.integers(0, len(TEXT) - 1), st.integers(1, 300))
def test_nothing_can_be_taken_away_unnoticed(at: int, length: int):
    assert examined(TEXT[:at] + TEXT[at + length :]).against(SEALED)


@given(st.permutations(range(len(LINES))))
def test_no_order_but_the_written_one_is_good(order: list[int]):
    text = b"".join(LINES[each] for each in order)

    assert bool(examined(text).against(SEALED)) == (text != TEXT)


def test_a_live_segment_is_proved_up_to_its_last_checkpoint():
    live = b"".join(LINES[:12]) + b'{"timest'

    examiner = examined(live)

    assert examiner.faults == []
    assert (examiner.records, examiner.unproved, examiner.torn) == (9, 2, 8)


def test_a_published_checkpoint_must_be_there():
    first = examined(b"".join(LINES[:10]))
    known = LiveChain(records=7, chain=first.chain)

    assert examined(TEXT, known).against(SEALED) == []
    assert [str(each) for each in examined(b"".join(LINES[:8]), known).faults] == [
        "a checkpoint after 7 records was published; it is gone"
    ]
    other = LiveChain(records=7, chain="0" * 64)
    assert len(examined(TEXT, other).faults) == 1


def test_a_segment_of_an_older_version_is_counted_and_digested():
    text = record(1) + record(2)

    examiner = examined(text)

    assert examiner.head is None
    assert examiner.faults == []
    assert (examiner.records, examiner.unproved, examiner.checkpoints) == (2, 2, 0)
