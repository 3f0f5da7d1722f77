"""What the bench concludes from the load generator's figures."""

from typing import Any

import pytest
from bench.run import BUSY, TARGETS, YARDSTICK, Cost, report, summarise

FULL = TARGETS[0]


def result(name: str, cpu: float, **more: Any) -> dict[str, Any]:
    return {"name": name, "c": BUSY, "cpu_us": cpu, "rps": 1000.0, "p99": 1.0, **more}


def test_a_noisy_slot_does_not_count_beside_a_quiet_one() -> None:
    costs = summarise([result("a", 90.0, foreign=0.5), result("a", 40.0, foreign=0.01)])

    assert [each.cpu for each in costs] == [40.0]


def test_a_failed_call_counts_even_in_a_noisy_slot() -> None:
    costs = summarise([result("a", 90.0, foreign=0.5, bad=3, err=1), result("a", 40.0)])

    assert [each.failed for each in costs] == [4]


@pytest.mark.parametrize(
    ("cpu", "failed", "kept"), [(299.0, 0, True), (301.0, 0, False), (100.0, 1, False)]
)
def test_the_promise_is_a_ratio_without_failed_calls(cpu: float, failed: int, kept: bool) -> None:
    costs = [
        Cost(FULL.name, BUSY, cpu, 1000.0, 1.0, failed),
        Cost(YARDSTICK, BUSY, 100.0, 1000.0, 1.0, 0),
    ]

    assert report(FULL, costs) is kept


def test_no_figure_is_no_success() -> None:
    assert report(FULL, []) is False
    assert report(FULL, [Cost(FULL.name, 1, 1.0, 1.0, 1.0, 0)]) is False
