"""Sessions that come and go leave nothing behind."""

import os
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.clients.gateway import Gateway
from tests.clients.wire import Wire
from tests.soak.conftest import HEADERS

MEGABYTE = 1024 * 1024
ALLOWED = 20 * MEGABYTE
ABANDONED = 4 * 1024  # bytes that a session which was never closed may hold
WARM = 100
WORKERS = 8
SETTLE_SECONDS = 30.0


@pytest.mark.parametrize(
    "sessions", [500, pytest.param(10_000, marks=pytest.mark.soak)], ids="{} sessions".format
)
def test_memory_is_back_after_sessions_were_opened_and_closed(
    sessions: int, gateway: Gateway
) -> None:
    visit_many(gateway.url("echo"), WARM, one_visit)
    start = resident(gateway.pid)

    visit_many(gateway.url("echo"), sessions, one_visit)

    assert settled(gateway.pid, start + ALLOWED) - start <= ALLOWED
    assert open_files(gateway.pid) < 200


@pytest.mark.parametrize(
    "sessions", [500, pytest.param(10_000, marks=pytest.mark.soak)], ids="{} sessions".format
)
def test_memory_is_back_when_clients_just_hang_up(sessions: int, gateway: Gateway) -> None:
    """Most clients never send DELETE: what one leaves until it expires must stay small."""
    visit_many(gateway.url("echo"), WARM, abandoned_visit)
    start = resident(gateway.pid)

    visit_many(gateway.url("echo"), sessions, abandoned_visit)

    allowed = ALLOWED + sessions * ABANDONED
    assert settled(gateway.pid, start + allowed) - start <= allowed
    assert open_files(gateway.pid) < 200


@pytest.mark.parametrize(
    "sessions", [100, pytest.param(1_000, marks=pytest.mark.soak)], ids="{} sessions".format
)
def test_sessions_with_a_child_process_leave_no_process_and_no_pipe(
    sessions: int, gateway: Gateway
) -> None:
    visit_many(gateway.url("pipe"), 10, listing_visit)
    start, files = resident(gateway.pid), open_files(gateway.pid)

    visit_many(gateway.url("pipe"), sessions, listing_visit)

    assert settled(gateway.pid, start + ALLOWED) - start <= ALLOWED
    assert open_files(gateway.pid) <= files + 20
    assert zombies(gateway.pid) == []


@pytest.mark.parametrize(
    "sessions", [100, pytest.param(10_000, marks=pytest.mark.soak)], ids="{} sessions".format
)
def test_nothing_is_left_of_sessions_with_processes_of_their_own(
    sessions: int, gateway: Gateway, record_property: Callable[[str, object], None]
) -> None:
    """Processes, files, threads and memory are what they were."""
    visit_many(gateway.url("quick"), WARM, one_visit)
    before = standing(gateway)

    visit_many(gateway.url("quick"), sessions, one_visit)

    settled(gateway.pid, before["memory"] + ALLOWED)
    after = standing(gateway)
    for name, value in before.items():
        record_property(name, f"{value} -> {after[name]}")
    assert after["processes"] == before["processes"]
    assert after["files"] <= before["files"] + 4
    assert after["threads"] <= before["threads"] + 2
    assert after["sessions"] == before["sessions"]
    assert after["memory"] - before["memory"] <= ALLOWED


def standing(gateway: Gateway) -> dict[str, int]:
    """What a gateway holds, once it has let go of the last sessions: their processes are gone."""
    deadline, counts = time.monotonic() + SETTLE_SECONDS, list(range(-10, 0))
    while len(set(counts)) > 1 and time.monotonic() < deadline:
        time.sleep(0.1)
        counts = [*counts[1:], len(lived(gateway.pid))]
    metrics = gateway.get("/metrics") or ""
    (sessions,) = re.findall(r"^mcp_gateway_active_sessions (\S+)$", metrics, re.MULTILINE)
    return {
        "processes": counts[-1],
        "files": open_files(gateway.pid),
        "threads": len(list(Path(f"/proc/{gateway.pid}/task").iterdir())),
        "sessions": int(float(sessions)),
        "memory": resident(gateway.pid),
    }


def lived(pid: int) -> list[int]:
    """The processes that a process has started and that are still there, ended or not."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split()]


def one_visit(url: str, number: int) -> None:
    wire = Wire(url, HEADERS)
    wire.open()
    result = wire.tool("echo", {"message": f"visit {number}"})
    assert result["content"][0]["text"] == f"visit {number}"
    assert wire.close() in (200, 202, 204)
    wire.hang_up()


def abandoned_visit(url: str, number: int) -> None:
    wire = Wire(url, HEADERS)
    wire.open()
    wire.tool("echo", {"message": f"visit {number}"})
    wire.hang_up()


def listing_visit(url: str, number: int) -> None:
    wire = Wire(url, HEADERS)
    wire.open()
    assert len(wire.call("tools/list")["tools"]) == 4
    assert wire.close() in (200, 202, 204)
    wire.hang_up()


def visit_many(url: str, count: int, visit: Callable[[str, int], None]) -> None:
    with ThreadPoolExecutor(WORKERS) as pool:
        for _ in pool.map(lambda number: visit(url, number), range(count)):
            pass


def resident(pid: int) -> int:
    """Bytes of memory that are not swapped out."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def settled(pid: int, enough: int) -> int:
    """The memory once it is at most `enough`, or after half a minute."""
    deadline = time.monotonic() + SETTLE_SECONDS
    while (now := resident(pid)) > enough and time.monotonic() < deadline:
        time.sleep(0.5)
    return now


def open_files(pid: int) -> int:
    return len(list(Path(f"/proc/{pid}/fd").iterdir()))


def zombies(pid: int) -> list[str]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, parent = stat.read_text().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue  # it ended while we looked
        if (state, parent) == ("Z", str(pid)):
            found.append(stat.parent.name)
    return found
