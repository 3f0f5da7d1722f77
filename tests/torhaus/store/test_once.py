import os
import stat
from pathlib import Path

import pytest

from torhaus.store.once import keep_first


def test_the_first_content_stays(tmp_path: Path):
    path = tmp_path / "a"

    assert keep_first(path, b"one", os.urandom) == b"one"
    assert keep_first(path, b"two", os.urandom) == b"one"

    assert path.read_bytes() == b"one"
    assert [each.name for each in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("mode", [0o600, 0o644])
def test_it_has_the_mode_that_was_asked_for_from_the_beginning(tmp_path: Path, mode: int):
    before = os.umask(0)
    try:
        keep_first(tmp_path / "a", b"one", os.urandom, mode)
    finally:
        os.umask(before)

    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == mode
