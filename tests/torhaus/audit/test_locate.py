import base64
import struct
from zlib import crc32

import pytest

from torhaus.audit.locate import Fault, differences, faults
from torhaus.model.evidence import Checkpoint


def named(known: str, found: str) -> list[str]:
    return [str(each) for each in differences(list(map(ord, known)), list(map(ord, found)), 10)]


@pytest.mark.parametrize(
    ("known", "found", "told"),
    [
        ("abc", "abc", []),
        ("", "", []),
        ("abc", "aXc", ["line 11 was changed"]),
        ("abcd", "aXcY", ["line 11 was changed", "line 13 was changed"]),
        ("abc", "ac", ["line 11 comes after 1 record that was removed"]),
        ("abcd", "ad", ["line 11 comes after 2 records that were removed"]),
        ("abc", "ab", ["line 12 comes after 1 record that was removed"]),
        ("ac", "abc", ["line 11 was inserted"]),
        ("ad", "abcd", ["line 11 was inserted", "line 12 was inserted"]),
        ("abcd", "acbd", ["line 11 begins 2 records that were reordered"]),
        ("abcd", "aXd", ["line 11 begins 1 line where 2 records that were written"]),
    ],
)
def test_each_kind_of_change_is_named(known: str, found: str, told: list[str]):
    assert named(known, found) == told


def checkpoint(lines: list[bytes], records: int) -> Checkpoint:
    packed = struct.pack(f">{len(lines)}I", *map(crc32, lines))
    return Checkpoint(at="", records=records, chain="", crc=base64.b64encode(packed).decode())


def test_a_checkpoint_that_is_no_longer_one_is_found():
    lines = [b"a", b"b", b"spoiled", b"c", b"d"]

    assert [*faults(lines, 5, checkpoint(lines[3:], 4), 4)] == [
        Fault(7, "was a checkpoint, and was changed")
    ]


def test_a_checkpoint_that_was_taken_away_is_found():
    lines = [b"a", b"b", b"c", b"d"]

    assert [*faults(lines, 5, checkpoint(lines[2:], 4), 4)] == [
        Fault(7, "comes after a checkpoint that was removed")
    ]


@pytest.mark.parametrize("crc", ["!", "AAA", "AA=="])
def test_spoiled_crcs_are_no_crcs(crc: str):
    spoiled = Checkpoint(at="", records=1, chain="", crc=crc)

    assert [*faults([b"a"], 5, spoiled, 1)] == [Fault(6, "is a checkpoint, and was changed")]


def test_a_fault_of_the_whole_has_no_line():
    assert str(Fault(0, "it is too long")) == "it is too long"
