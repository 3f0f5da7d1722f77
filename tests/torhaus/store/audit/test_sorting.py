"""More lines in order than fit into memory."""

import random
from pathlib import Path

from torhaus.store.audit import sorting
from torhaus.store.audit.sorting import Sorting


def sorted_by(directory: Path, keys: list[str], most: int) -> list[bytes]:
    made = Sorting(directory, most)
    for key in keys:
        made.add(key, b"line of " + key.encode())
    return list(made.lines())


def test_lines_come_out_in_the_order_of_their_keys(tmp_path: Path) -> None:
    assert sorted_by(tmp_path, ["b", "c", "a"], 1000) == [b"line of a", b"line of b", b"line of c"]
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_fit_goes_through_files(tmp_path: Path) -> None:
    keys = [f"{number:05d}" for number in range(2000)]
    shuffled = random.Random(1).sample(keys, len(keys))

    found = sorted_by(tmp_path, shuffled, 2000)

    assert found == [b"line of " + key.encode() for key in keys]
    assert len(list(tmp_path.iterdir())) > 10


def test_more_files_than_may_be_open_are_merged_first(tmp_path: Path) -> None:
    keys = [f"{number:05d}" for number in range(3000, 0, -1)]

    found = sorted_by(tmp_path, keys, 200)

    assert found == [b"line of " + key.encode() for key in reversed(keys)]
    assert len(list(tmp_path.iterdir())) <= sorting._FAN_IN


def test_keys_from_outside_cannot_break_a_line(tmp_path: Path) -> None:
    made = Sorting(tmp_path, 1)
    made.add("b\n\t\ud800", b"{1}\t")
    made.add("a", b"{2}")

    assert list(made.lines()) == [b"{2}", b"{1}\t"]
