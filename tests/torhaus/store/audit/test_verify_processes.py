import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torhaus.store.audit.logs import checked, head, told, write
from torhaus.store.audit.keys import keys_directory, public_keys
from torhaus.store.audit.segments import segments
from torhaus.store.audit.verify import Wanted, verify

ROOT = Path(__file__).parents[4]


def writing(data: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.torhaus.store.audit.programs.gate", str(data)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )


@pytest.mark.parametrize(
    "kills", [1, pytest.param(15, marks=pytest.mark.soak)], ids=["one kill", "fifteen kills"]
)
def test_after_a_kill_and_a_start_all_is_in_order_and_nothing_acknowledged_is_missing(
    tmp_path: Path, kills: int
):
    for _ in range(kills):
        killed_and_started(tmp_path)


def killed_and_started(tmp_path: Path) -> None:
    running = writing(tmp_path)
    assert running.stdout is not None
    acknowledged = [running.stdout.readline() for _ in range(300)]
    running.send_signal(signal.SIGKILL)
    acknowledged += running.stdout.readlines()
    running.stdout.close()
    running.wait()
    assert told(checked(tmp_path)) == []

    write(tmp_path, 1, start=10_000)

    report = checked(tmp_path, head(tmp_path))
    assert told(report) == []
    assert report.live == 0
    texts = [path.read_text() for path in segments(tmp_path / "audit" / "hot")]
    missing = [
        line
        for line in acknowledged
        if line.endswith("\n") and not any(f'"{line.strip()}"' in text for text in texts)
    ]
    assert missing == []


def test_several_processes_keep_one_log(tmp_path: Path):
    running = [writing(tmp_path) for _ in range(3)]
    for each in running:
        assert each.stdout is not None
        for _ in range(200):
            assert each.stdout.readline()
    during = checked(tmp_path)
    for each in running:
        each.send_signal(signal.SIGTERM)
        each.communicate()

    report = checked(tmp_path)
    assert told(during) == []
    assert told(report) == []
    assert report.records >= 600
    assert report.live == 0


def test_a_segment_that_came_and_was_sealed_while_it_looked_is_not_missing(tmp_path: Path) -> None:
    write(tmp_path, 3)
    looked: list[str] = []

    def meanwhile(name: str) -> None:
        if not looked:  # the directory was read, the journal was not
            write(tmp_path, 5, start=3)
        looked.append(name)

    audit = tmp_path / "audit"
    wanted = Wanted(keys=public_keys(keys_directory(audit)), progress=meanwhile)
    report = verify(audit, wanted)

    assert told(report) == []
    assert report.records == 8
