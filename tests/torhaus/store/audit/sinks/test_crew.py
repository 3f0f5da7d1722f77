"""All sinks of a gateway together, and death at any moment."""

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.torhaus.cli.audit.records_on_disk import record, segment
from tests.torhaus.store.audit.sinks.receivers import QUICK, Scripted, logged
from torhaus.model.shipping import DeliveryError, SinkSettings, StdoutTarget
from torhaus.store.audit.sinks.crew import Crew

ROOT = Path(__file__).parents[5]


def settings(*names: str) -> list[SinkSettings]:
    return [SinkSettings(name=name, target=StdoutTarget()) for name in names]


def test_a_sink_that_is_down_holds_up_no_other(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a")
    sinks = {"up": Scripted(), "down": Scripted(*[DeliveryError("it is down")] * 10_000)}
    crew = Crew(tmp_path, settings("up", "down"), lambda each: sinks[each.name], QUICK)

    crew.start()
    sinks["up"].wait(lambda: sinks["up"].taken == ["a"])
    sinks["down"].wait(lambda: len(sinks["down"].batches) > 2)

    up, down = crew.states()
    assert (up.error, down.error) == ("", "it is down")
    assert crew.close()
    assert [each.state for each in crew.states()] == ["stopped", "stopped"]


def test_a_receiver_that_hangs_does_not_keep_the_gateway(tmp_path: Path) -> None:
    logged(tmp_path, 1, "a")
    entered, go_on = [], []

    def hang(_batch: object) -> None:
        entered.append(True)
        while not go_on:
            time.sleep(0.01)

    sink = Scripted(hang)
    crew = Crew(tmp_path, settings("slow"), lambda _each: sink, QUICK)
    crew.start()
    while not entered:
        time.sleep(0.01)

    began = time.monotonic()
    ended = crew.close(0.1)
    took = time.monotonic() - began
    go_on.append(True)

    assert not ended
    assert took < 20
    assert crew.close(60)


def running(audit: Path, out: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [
            sys.executable,
            "-m",
            "tests.torhaus.store.audit.sinks.programs.delivering",
            str(audit),
            str(out),
        ],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
        stdin=subprocess.PIPE,
    )


def grown(out: Path, size: int) -> bool:
    return out.exists() and out.stat().st_size > size


def killed_again_and_again(tmp_path: Path, times: int) -> tuple[list[str], Counter[str]]:
    """What was logged, and how often each record arrived, when delivery is killed that often."""
    audit, out = tmp_path / "audit", tmp_path / "out.jsonl"
    chance = random.Random(7)
    expected = [f"op-{number}-{second}" for number in range(4) for second in range(50 * times)]
    for number in range(4):
        lines = [record(second % 60, f"op-{number}-{second}") for second in range(50 * times)]
        segment(audit / "hot", number, b'{"segment":{}}\n' + b"".join(lines))
    for _ in range(times):
        if out.exists() and out.read_bytes().count(b"\n") >= len(expected):
            break  # it was quicker than we
        before = out.stat().st_size if out.exists() else 0
        with running(audit, out) as process:
            while not grown(out, before) and process.poll() is None:
                time.sleep(0.001)
            time.sleep(chance.random() * 0.03)
            process.kill()
    with running(audit, out) as process:
        process.communicate(b"", timeout=120)
    assert process.returncode == 0
    found = [json.loads(line)["operation"] for line in out.read_bytes().splitlines()]
    return expected, Counter(found)


def test_killed_at_any_moment_nothing_is_lost(tmp_path: Path) -> None:
    expected, found = killed_again_and_again(tmp_path, 2)

    assert set(found) == set(expected)
    assert sum(found.values()) - len(expected) <= 2 * 7  # a batch for each death


@pytest.mark.soak
def test_killed_many_times_nothing_is_lost(tmp_path: Path) -> None:
    expected, found = killed_again_and_again(tmp_path, 20)

    assert set(found) == set(expected)
    assert sum(found.values()) - len(expected) <= 20 * 7
