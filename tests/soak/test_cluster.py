"""Access that ends at one gateway: how long another lets it in, on one PostgreSQL."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.stories.caller import Caller
from tests.stories.ending import ERIN, Desk, refused
from tests.stories.town import Town, server
from tests.stories.tricks import TRICKS
from tests.stories.upstream import Upstream, within
from tests.torhaus.store.state.elephants import CannotRunError, Elephant

P99 = 1.0
"""Seconds, as identity.md promises of other nodes."""


@pytest.fixture
def towns(tmp_path: Path) -> Iterator[tuple[Town, Town]]:
    try:
        with Elephant() as elephant, Upstream(tricks=dict(TRICKS)) as upstream:
            config = {
                "mcpServers": {"scripted": server(upstream.url)},
                "storage": {"state": f"{elephant.url}/postgres"},
            }
            with Town(config, tmp_path / "one") as one, Town(config, tmp_path / "two") as two:
                yield one, two
    except CannotRunError as error:
        pytest.skip(str(error))


@pytest.mark.parametrize("times", [16, pytest.param(200, marks=pytest.mark.soak)])
def test_what_ends_at_one_gateway_soon_gets_nobody_in_at_another(
    times: int, towns: tuple[Town, Town]
) -> None:
    desk, there = Desk(towns[0]), towns[1]
    desk.hire()
    took = [ended(desk, there, number) for number in range(times)]
    print(f"\n{times} times, after the answer at the first: refused at the second {_said(took)}")
    assert _at(took, 0.99) < P99


def ended(desk: Desk, there: Town, number: int) -> float:
    """Seconds from the answer at the one until the other refuses; four ways, in turn."""
    made = desk.key(label=f"k{number}")
    stop = {"kind": "user", "target": ERIN, "reason": "an incident"}
    with Caller(there.port, made["key"]) as caller:
        assert within(5.0, lambda: not refused(caller))
        match number % 4:
            case 0:
                desk.do("DELETE", f"keys/{made['id']}")
            case 1:
                desk.do("POST", f"people/{ERIN}/suspend")
            case 2:
                stopped = desk.do("POST", "stops", stop)
            case _:
                desk.do("PATCH", f"people/{ERIN}", {"roles": []})
        began = time.perf_counter()
        while not refused(caller):
            assert time.perf_counter() - began < 10
        took = time.perf_counter() - began
    if number % 4:
        desk.do("DELETE", f"keys/{made['id']}")
    match number % 4:
        case 1:
            desk.do("POST", f"people/{ERIN}/reinstate")
        case 2:
            desk.do("DELETE", f"stops/{stopped['id']}")
        case 3:
            desk.do("PATCH", f"people/{ERIN}", {"roles": ["reader"]})
    return took


def _at(seconds: list[float], share: float) -> float:
    return sorted(seconds)[int(len(seconds) * share)]


def _said(seconds: list[float]) -> str:
    return f"p50 {_at(seconds, 0.5) * 1000:.1f} ms, p99 {_at(seconds, 0.99) * 1000:.1f} ms"
