"""Findings."""

import msgspec

from torhaus.cli.doctor.finding import Level, bad, doubt, good


def test_a_finding_in_json_has_its_level_as_a_word() -> None:
    levels = [each.level for each in (good("a", "b"), doubt("a", "b", "c"), bad("a", "b", "c"))]

    assert levels == [Level.PASS, Level.WARN, Level.FAIL]
    assert msgspec.json.decode(msgspec.json.encode(bad("a", "b", "c"))) == {
        "check": "a",
        "level": "fail",
        "message": "b",
        "fix": "c",
    }
