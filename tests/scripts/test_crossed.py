"""How runs of the suite across the eras are judged."""

import json
from pathlib import Path

from scripts.crossed import CROSSINGS, NEW, Crossing, judged, lines, read

CROSSING = Crossing(
    server="old",
    era="legacy",
    revision=NEW,
    floor=1,
    reasons={"asks": "it cannot ask", "streams:resume": "it cannot end one"},
)
DIRECT = {
    ("asks", "a"): "SUCCESS",
    ("streams", "first"): "SUCCESS",
    ("streams", "resume"): "SUCCESS",
    ("tasks", "x"): "FAILURE",
}


def test_a_miss_with_a_reason_is_no_failure():
    crossed = {("streams", "first"): "SUCCESS", ("streams", "resume"): "INFO"}

    verdict = judged(CROSSING, DIRECT, crossed)

    assert verdict.passed == 1
    assert verdict.missed == {"asks:a": "it cannot ask", "streams:resume": "it cannot end one"}
    assert verdict.holds(1)
    assert not verdict.holds(2)
    assert "missed (1): it cannot ask" in "\n".join(lines(CROSSING, verdict))


def test_a_miss_without_a_reason_fails_whatever_the_number():
    verdict = judged(CROSSING, DIRECT, {("asks", "a"): "SUCCESS", ("streams", "first"): "WARNING"})

    assert verdict.missed["streams:first"] is None
    assert not verdict.holds(0)
    assert "NO REASON IS KNOWN" in "\n".join(lines(CROSSING, verdict))


def test_the_worst_status_of_a_check_counts(tmp_path: Path):
    folder = tmp_path / "server-tools-list-2026-11-29T12-00-00-000Z"
    folder.mkdir()
    checks = [
        {"id": "a", "status": "SUCCESS"},
        {"id": "b", "status": "SUCCESS"},
        {"id": "b", "status": "FAILURE"},
        {"id": "b", "status": "INFO"},
    ]
    (folder / "checks.json").write_text(json.dumps(checks))

    assert read(tmp_path) == {("tools-list", "a"): "SUCCESS", ("tools-list", "b"): "FAILURE"}


def test_floors_are_those_that_the_documentation_states():
    text = (Path(__file__).parents[2] / "docs" / "compatibility.md").read_text()

    for crossing, total in zip(CROSSINGS, (153, 84), strict=True):
        assert f"{crossing.floor} of {total}" in text
