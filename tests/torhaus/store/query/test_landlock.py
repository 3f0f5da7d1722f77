from pathlib import Path

import pytest

from tests.torhaus.store.query.doors import HARMLESS, worked
from torhaus.store.query.landlock import restrict, version

needs = pytest.mark.skipif(version() < 4, reason="this kernel has no Landlock, or an old one")


@needs
def test_only_the_named_file_can_be_read_and_nothing_be_changed(tmp_path: Path) -> None:
    held = worked("landlock", tmp_path)

    assert held >= HARMLESS
    assert held.isdisjoint(
        {
            "read another",
            "read another in a thread",
            "read the parent's environment",
            "write its file",
            "write another",
            "create",
            "cut",
            "rename",
            "remove",
            "make a directory",
            "connect",
            "run a program",
        }
    )


def test_without_it_the_same_things_work(tmp_path: Path) -> None:
    assert worked("neither", tmp_path) >= {"read another", "create", "write its file", "connect"}


@needs
def test_a_file_that_is_not_there_is_no_silent_hole(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        restrict([str(tmp_path / "gone")])
