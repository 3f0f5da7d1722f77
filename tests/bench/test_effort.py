"""How much one call makes the interpreter do. The same wherever it is counted, whoever else works.

When this fails, `python -m bench.effort KIND --most 60` names the functions that are called.
"""

import json
import subprocess
import sys

import pytest
from bench.effort import KINDS, MOST, Count, complaint, decided

from tests.clients.running import environment
from tests.shared import ROOT


def test_a_call_makes_no_more_functions_run_than_it_did(tmp_path) -> None:
    command = [sys.executable, "-m", "bench.effort", "--json"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True, timeout=240
    )

    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    assert found.keys() == set(KINDS)
    for kind, calls in found.items():
        assert complaint(kind, calls) is None, complaint(kind, calls)
        assert calls > MOST[kind] / 2, "this was no whole call"


@pytest.mark.parametrize("kind", KINDS)
def test_one_that_takes_more_is_told_what_to_do(kind: str) -> None:
    assert complaint(kind, MOST[kind]) is None
    told = complaint(kind, MOST[kind] * 1.03)
    assert told is not None
    assert f"bench.effort {kind} --most" in told


def test_functions_of_both_languages_count() -> None:
    def inner() -> int:
        return len("ab") + max(1, 2)

    count = Count()
    sys.setprofile(count)
    inner()
    sys.setprofile(None)
    count.next()

    (each,) = count.each
    assert each["len in C"] == each["max in C"] == 1
    assert each.total() == 4  # with `inner`, and `sys.setprofile` itself


def test_a_decision_is_the_same_work_each_time() -> None:
    assert decided() == decided()
