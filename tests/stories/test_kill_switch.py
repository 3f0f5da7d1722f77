"""What is stopped, in metrics; and that it ends by itself: its record, and news to clients."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.stories.caller import Caller
from tests.stories.ending import Desk, refused
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream, within

CHANGED = "notifications/tools/list_changed"
LASTS = 8


@pytest.fixture
def own(upstream: Upstream, home: Path) -> Iterator[Town]:
    with Town({"mcpServers": {"scripted": server(upstream.url)}}, home) as running:
        yield running


def stop(own: Town, **more: Any) -> dict[str, Any]:
    body = {"kind": "tool", "target": "scripted/get_note", "reason": "leak 47", **more}
    found: dict[str, Any] = Desk(own).do("POST", "stops", body)
    return found


def soon() -> str:
    return datetime.fromtimestamp(time.time() + LASTS, UTC).isoformat()


def active(own: Town, kind: str) -> str:
    lines = (own.get("/metrics") or "").splitlines()
    return next(each for each in lines if f'torhaus_stops_active{{kind="{kind}"}}' in each)


def news(caller: Caller) -> list[str]:
    """What a listening stream says from now on: it grows."""
    told: list[str] = []

    def read() -> None:
        with suppress(OSError, ValueError):  # this side hung up
            for chunk in caller.chunks():
                lines = (each[6:] for each in chunk.split(b"\n") if each.startswith(b"data: {"))
                told.extend(json.loads(each)["method"] for each in lines)

    threading.Thread(target=read, daemon=True).start()
    return told


def test_a_stop_that_ends_by_itself_is_recorded_and_clients_hear_that_the_tool_is_back(
    own: Town,
) -> None:
    with own.caller("BOB", patience=60) as bob, own.caller("BOB") as other:
        bob.begin()
        bob.listen()
        told = news(bob)
        time.sleep(0.3)

        made = stop(own, expires=soon())

        assert within(60, lambda: CHANGED in told)
        assert active(own, "tool").endswith(" 1.0")
        assert refused(other)
        told.clear()
        assert within(60, lambda: CHANGED in told)
        assert not refused(other)
        assert active(own, "tool").endswith(" 0.0")
    ended = [each for each in own.house() if each["operation"] == "stop.ended"]
    assert [each["parameters"]["stop"] for each in ended] == [made["id"]]
    assert "stop.ended" in own.output()
    (shown,) = Desk(own).do("GET", "stops")
    assert (shown["in_force"], shown["lifted_by"]) == (False, None)
    assert shown["lifted"] == shown["expires"]


def test_clients_hear_that_a_tool_is_back_whose_stop_was_lifted(own: Town) -> None:
    with own.caller("BOB", patience=60) as bob:
        bob.begin()
        bob.listen()
        made = stop(own)
        time.sleep(1.5)
        told = news(bob)
        assert within(60, lambda: CHANGED in told)
        told.clear()

        Desk(own).do("DELETE", f"stops/{made['id']}")

        assert within(60, lambda: CHANGED in told)
