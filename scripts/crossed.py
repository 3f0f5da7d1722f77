"""The official suite across the eras: which checks must pass, and why others cannot.

A check that the reference server passes directly and that is missed behind the gate needs a reason
here; one without fails the run, and so does a number below the floor.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

OLD, NEW = "2025-11-25", "2026-07-28"
RANK = {"SUCCESS": 0, "INFO": 1, "SKIPPED": 2, "WARNING": 3, "FAILURE": 4}

ASKS_BY_RESULT = (
    "its tool answers `input_required` by itself, which no server of 2025-11-25 does; what such a"
    " server asks in its own way is in tests/clients/test_crossed_eras.py"
)
ASKS_BY_REQUEST = (
    "its tool sends requests to the client, which no server of 2026-07-28 may; what such a server"
    " asks in its own way is in tests/clients/test_crossed_eras.py"
)
ENDS_STREAMS = (
    "its tool ends the stream of its own call before the answer, which no server of 2026-07-28"
    " does; resuming after the client loses it is in tests/stories/test_own_streams.py"
)


@dataclass(frozen=True, kw_only=True)
class Crossing:
    """Client of one revision, server of the other era. `reasons`: scenario -> why it is missed."""

    server: str
    era: str
    revision: str
    floor: int
    reasons: Mapping[str, str]


CROSSINGS = (
    Crossing(
        server="old",
        era="legacy",
        revision=NEW,
        floor=133,
        reasons={
            f"input-required-result-{each}": ASKS_BY_RESULT
            for each in (
                "basic-elicitation",
                "basic-list-roots",
                "basic-sampling",
                "capability-check",
                "ignore-extra-params",
                "missing-input-response",
                "multi-round",
                "multiple-input-requests",
                "non-tool-request",
                "request-state",
                "result-type",
                "tampered-state",
            )
        },
    ),
    Crossing(
        server="new",
        era="modern",
        revision=OLD,
        floor=71,
        reasons={
            "elicitation-sep1034-defaults": ASKS_BY_REQUEST,
            "elicitation-sep1330-enums": ASKS_BY_REQUEST,
            "tools-call-elicitation": ASKS_BY_REQUEST,
            "tools-call-sampling": ASKS_BY_REQUEST,
            "server-sse-polling:server-sse-disconnect-resume": ENDS_STREAMS,
        },
    ),
)

Checks = Mapping[tuple[str, str], str]
"""Scenario and check -> its worst status."""


def read(folder: Path) -> Checks:
    """What a run of the suite has left."""
    found: dict[tuple[str, str], str] = {}
    for file in sorted(folder.glob("server-*/checks.json")):
        scenario = re.sub(r"^server-|-\d{4}-\d\d-\d\dT[\d-]+Z$", "", file.parent.name)
        for check in json.loads(file.read_text()):
            key = (scenario, check["id"])
            if RANK.get(check["status"], 4) >= RANK.get(found.get(key, "SUCCESS"), 4):
                found[key] = check["status"]
    return found


@dataclass(frozen=True)
class Verdict:
    """`missed`: check -> its reason; None where there is none."""

    passed: int
    missed: Mapping[str, str | None]

    def holds(self, floor: int) -> bool:
        return self.passed >= floor and None not in self.missed.values()


def judged(crossing: Crossing, direct: Checks, crossed: Checks) -> Verdict:
    """Of the checks that pass directly, those that pass crossed, and why the others do not."""
    wanted = [key for key, status in sorted(direct.items()) if status == "SUCCESS"]
    lost = [key for key in wanted if crossed.get(key) != "SUCCESS"]
    missed = {
        f"{scenario}:{check}": crossing.reasons.get(
            f"{scenario}:{check}", crossing.reasons.get(scenario)
        )
        for scenario, check in lost
    }
    return Verdict(len(wanted) - len(lost), missed)


def lines(crossing: Crossing, verdict: Verdict) -> list[str]:
    """What to print of it."""
    total = verdict.passed + len(verdict.missed)
    client = f"client of {crossing.revision}, server of the {crossing.era} era"
    said = [f"== {client}: {verdict.passed} of {total}, at least {crossing.floor}"]
    by_reason: dict[str | None, list[str]] = {}
    for check, reason in verdict.missed.items():
        by_reason.setdefault(reason, []).append(check)
    for reason, checks in by_reason.items():
        said.append(f"  missed ({len(checks)}): {reason or 'NO REASON IS KNOWN'}")
        said += [f"    {check}" for check in checks]
    return said
