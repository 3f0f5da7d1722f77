"""Access that ends, a thousand times: how long until nothing gets in, and what is left of it."""

import re
import sqlite3
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest

from tests.soak.test_sessions import MEGABYTE, open_files, resident
from tests.stories.caller import Caller
from tests.stories.ending import ERIN, Desk, refused
from tests.stories.somebody import FILE, Place
from tests.stories.stopwatch import Stopwatch, Took
from tests.stories.town import Town, server
from tests.stories.tricks import TRICKS
from tests.stories.upstream import Upstream, within
from tests.stories.ways import CASES, SOON, Ended, ended, place

LIMIT = 0.050
"""Seconds from when access has ended, as who has ended it is told, until a use is refused."""
TIMES, WARM = 1000, len(CASES)
PER_PERSON = 24 * 1024
"""Bytes that somebody who has left leaves behind: his row, and where his records are counted."""
ALLOWED = 20 * MEGABYTE


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    with Upstream(tricks=dict(TRICKS)) as upstream:
        config = {"mcpServers": {"scripted": server(upstream.url)}}
        with Town(config, tmp_path / "town") as running:
            yield running


@pytest.mark.parametrize("times", [20, pytest.param(1000, marks=pytest.mark.soak)])
def test_nothing_gets_in_after_its_access_has_ended(times: int, town: Town) -> None:
    desk, watch = Desk(town), Stopwatch(town.process.pid)
    desk.hire()
    took: list[Took] = []
    for number in range(times):
        made = desk.key(label=f"k{number}")
        with Caller(town.port, made["key"]) as caller:
            assert not refused(caller)
            if number % 2:
                desk.do("DELETE", f"keys/{made['id']}")
            else:
                desk.do("POST", f"people/{ERIN}/suspend")
            said: list[bool] = []
            took.append(
                watch.measure(lambda said=said, caller=caller: said.append(refused(caller)))
            )
            assert said == [True], number
        if number % 2 == 0:
            desk.do("POST", f"people/{ERIN}/reinstate")
            desk.do("DELETE", f"keys/{made['id']}")
    print(f"\n{times} times refused after the answer: {_said(took)}")
    if times >= 1000:
        assert _at([each.own for each in took], 0.99) < LIMIT


@pytest.mark.soak
def test_nothing_that_was_held_gets_in_after_any_way_of_ending(tmp_path: Path) -> None:
    """So many people, each with everything there is, by every way in turn."""
    of_file = sum(CASES[number % len(CASES)][1] == FILE for number in range(WARM + TIMES))
    with place(tmp_path / "town", of_file) as at:
        for number in range(WARM):
            _ended(at, number)
        before = standing(at)
        found = [_ended(at, number) for number in range(TIMES)]
        after = standing(at)
        left = _left(at)
    print(
        *_table(found),
        *(f"{name}: {was} -> {after[name]}" for name, was in before.items()),
        sep="\n",
    )
    assert left == {}
    for name in ("streams", "waiting"):
        assert after[name] == 0, name
    assert after["files"] <= before["files"] + 20
    assert after["threads"] <= before["threads"] + 4
    assert after["memory"] - before["memory"] <= ALLOWED + TIMES * PER_PERSON
    took = [each for _, one in found for each in one.refused.values()]
    assert _at([each.own for each in took], 0.99) < LIMIT
    for kind, of_kind in _by_kind(found).items():
        assert _at([each.own for each in of_kind], 0.99) < LIMIT, kind
    assert max(each for _, one in found for each in one.streams.values()) < SOON


def _ended(at: Place, number: int) -> tuple[str, Ended]:
    """In the end he is out in any case, so that what is left at the end should not be."""
    way, sort = CASES[number % len(CASES)]
    found = ended(at, way, sort)
    with suppress(AssertionError):  # unless he is gone already
        at.desk.do("POST", f"people/{found.held.email}/offboard")
    return way, found


def standing(at: Place) -> dict[str, int]:
    """What the gateway holds, once it has let go of the last ones."""
    pid = at.town.process.pid
    within(5.0, lambda: _gauge(at, "active_streams") == 0)
    time.sleep(2.0)
    return {
        "streams": _gauge(at, "active_streams"),
        "sessions": _gauge(at, "active_sessions"),
        "waiting": _gauge(at, "waiting_calls"),
        "files": open_files(pid),
        "threads": len(list(Path(f"/proc/{pid}/task").iterdir())),
        "memory": resident(pid),
    }


def _gauge(at: Place, name: str) -> int:
    found = re.findall(rf"^mcp_gateway_{name} (\S+)$", at.town.get("/metrics") or "", re.MULTILINE)
    return int(float(found[0]))


QUESTIONS = {
    "credentials": "SELECT count(*) FROM credentials WHERE ended IS NULL",
    "families": "SELECT count(*) FROM families WHERE ended IS NULL",
    "approvals": "SELECT count(*) FROM approvals WHERE state IN ('pending', 'approved')",
    "links": "SELECT count(*) FROM identities",
    "teams": "SELECT count(*) FROM memberships",
}
"""Rows of the state database that would let somebody in again, or make somebody wait."""


def _left(at: Place) -> dict[str, int]:
    with closing(sqlite3.connect(at.town.data / "state.db")) as state:
        counts = {name: state.execute(ask).fetchone()[0] for name, ask in QUESTIONS.items()}
    return {name: count for name, count in counts.items() if count}


def _by_kind(found: list[tuple[str, Ended]]) -> dict[str, list[Took]]:
    kinds: dict[str, list[Took]] = defaultdict(list)
    for _, one in found:
        for use, took in one.refused.items():
            kinds[use].append(took)
    return dict(sorted(kinds.items()))


def _table(found: list[tuple[str, Ended]]) -> Iterator[str]:
    """A line for each way and each kind: by the clock, and without waiting for a processor."""
    ways: dict[str, list[Took]] = defaultdict(list)
    streams: dict[str, list[float]] = defaultdict(list)
    for way, one in found:
        ways[way] += one.refused.values()
        streams[way] += one.streams.values()
    yield ""
    for way, took in ways.items():
        last = f"; streams end within {max(streams[way]) * 1000:.0f} ms" if streams[way] else ""
        yield f"{way:40} {_said(took)}{last}"
    for kind, took in _by_kind(found).items():
        yield f"{kind:40} {_said(took)}"


def _at(seconds: list[float], share: float) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * share))]


def _said(took: list[Took]) -> str:
    wall, own = [each.wall for each in took], [each.own for each in took]
    clock = " ".join(f"{name} {_at(wall, at) * 1000:.1f}" for name, at in SHARES.items())
    mine = " ".join(f"{name} {_at(own, at) * 1000:.1f}" for name, at in SHARES.items())
    return f"{len(took):6} times: {clock} ms; without waiting {mine} ms"


SHARES = {"p50": 0.5, "p99": 0.99, "max": 1.0}
