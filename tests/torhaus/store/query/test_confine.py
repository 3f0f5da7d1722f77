import subprocess
import sys
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


def test_it_is_the_first_to_go_where_memory_runs_out() -> None:
    program = (
        "from torhaus.store.query.confine import expendable; expendable(); "
        "print(open('/proc/self/oom_score_adj').read())"
    )

    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert found.stdout.strip() == "1000"
