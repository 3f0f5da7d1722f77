from pathlib import Path

from tests.torhaus.store.query.doors import HARMLESS, ran, worked
from torhaus.store.query.landlock import version


def test_with_both_doors_closed_only_the_file_and_threads_are_left(tmp_path: Path) -> None:
    left = worked("both", tmp_path)

    assert left >= HARMLESS
    if version() > 0:
        assert left == HARMLESS


def test_it_is_not_closed_where_an_older_thread_would_stay_outside(tmp_path: Path) -> None:
    (tmp_path / "own").touch()

    found = ran("threads", tmp_path)

    assert found.returncode != 0
    assert "2 threads run before the sandbox is closed" in found.stderr
