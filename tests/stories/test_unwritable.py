"""A disk that takes no more audit records: nothing goes on unrecorded, unless that is wanted."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.stories.caller import Answer, Caller
from tests.stories.disks import SmallDisk, breaking_disk, small_disk
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream, within
from tests.torhaus.cli.terminal import torhaus

REASON = "cannot write its audit log"
MOST = 400
"""Records that may still fit, when a file system is called full."""


@pytest.fixture
def far() -> Iterator[Upstream]:
    with Upstream() as running:
        yield running


@pytest.fixture
def disk(home: Path) -> Iterator[SmallDisk]:
    with small_disk(home / "data" / "audit") as found:
        yield found


def town(far: Upstream, home: Path, **audit: Any) -> Town:
    return Town({"mcpServers": {"scripted": server(far.url)}, "audit_logs": audit}, home)


def refused(answer: Answer) -> bool:
    result = answer.message["result"]
    return bool(result.get("isError")) and REASON in result["content"][0]["text"]


def until_refused(caller: Caller) -> int:
    """Writes until the first refusal; returns how many succeeded."""
    for count in range(MOST):
        answer = caller.tool("create_note", {"n": count})
        if refused(answer):
            return count
        assert "create_note" in answer.text
    raise AssertionError("the disk never filled")


def well(caller: Caller, tool: str = "create_note") -> bool:
    return not refused(caller.tool(tool))


def page(running: Town, path: str) -> Any:
    with running.caller(None) as stranger:
        stranger.target = path
        return stranger.ask(method="GET")


def test_with_a_full_disk_nothing_reaches_a_server_until_there_is_room(
    far: Upstream, home: Path, disk: SmallDisk
) -> None:
    with town(far, home) as running, running.caller() as caller:
        assert well(caller)
        disk.fill()
        done = 1 + until_refused(caller)
        reached = len(far.calls("create_note"))

        # Of the last one the intent may just have fitted, and the answer was withheld.
        assert reached in (done, done + 1)
        assert refused(caller.tool("get_note"))
        assert refused(caller.tool("create_note"))
        assert len(far.seen) == len(far.calls("create_note")) + others(far)
        assert far.calls("get_note") == []
        assert len(far.calls("create_note")) == reached
        ready = page(running, "/ready")
        assert (ready.status, ready.message["status"]) == (503, "not ready")
        assert "audit log cannot be written" in ready.message["audit"]
        assert "calls are refused" in page(running, "/status").body.decode()

        disk.make_room()
        assert within(60, lambda: well(caller))
        assert within(60, lambda: page(running, "/ready").status == 200)
        assert well(caller, "get_note")
        assert running.stop() == 0
    assert counted(running) == len(far.calls("create_note"))
    said = torhaus("audit", "verify", "--data-dir", str(running.data), at=home)
    assert said.code == 0, said.out + said.err


def others(far: Upstream) -> int:
    """What the gateway itself has asked the server."""
    return sum(1 for each in far.seen if each.tool is None)


def counted(running: Town) -> int:
    """Calls that wrote and succeeded; each has an intent and one outcome."""
    outcomes = [each for each in running.records() if each["operation"] == "create_note"]
    done = [each for each in outcomes if each["result"]["status"] == "success"]
    known = {each["request_id"] for each in running.intents()}
    assert {each["request_id"] for each in done} <= known
    assert len({each["request_id"] for each in outcomes}) == len(outcomes)
    return len(done)


def test_where_calls_may_go_on_without_records_they_do_and_it_is_said(
    far: Upstream, home: Path, disk: SmallDisk
) -> None:
    with town(far, home, on_failure="allow") as running, running.caller() as caller:
        assert well(caller)
        assert lost(running) == 0
        disk.fill()

        assert within(60, lambda: well(caller) and lost(running) > 0)
        before = lost(running)
        for _ in range(5):
            assert well(caller)

        assert lost(running) == before + 5
        ready = page(running, "/ready").message
        assert ready["status"] == "ready"
        assert ready["audit"] == "the audit log cannot be written: calls go on without records"
        assert f"{before + 5} calls went on" in page(running, "/status").body.decode()
        assert "audit.unrecorded" in running.output()

        disk.make_room()
        assert within(60, lambda: page(running, "/ready").message["audit"] == "ok")
        again = lost(running)
        assert well(caller)
        assert lost(running) == again
        assert f"{again} calls went on" in page(running, "/status").body.decode()


def lost(running: Town) -> int:
    found = re.search(r"^mcp_gateway_audit_lost_total (\d+)", running.get("/metrics") or "", re.M)
    assert found is not None
    return int(float(found[1]))


def test_acts_are_never_done_without_a_record(far: Upstream, home: Path, disk: SmallDisk) -> None:
    with town(far, home, on_failure="allow") as running, running.caller() as caller:
        assert well(caller)
        disk.fill()
        assert within(60, lambda: well(caller) and lost(running) > 0)

        caller.target = "/cache/scripted"
        answer = caller.ask(method="DELETE")

        assert answer.status == 503
        assert "audit" in answer.body.decode()


def test_a_disk_that_turns_read_only_stops_the_calls_and_not_the_gateway(
    far: Upstream, home: Path, tmp_path: Path
) -> None:
    with (
        breaking_disk(home / "data" / "audit", tmp_path / "image") as disk,
        town(far, home) as running,
        running.caller() as caller,
    ):
        assert well(caller)
        disk.fail()

        assert refused(caller.tool("create_note"))
        assert refused(caller.tool("get_note"))
        assert len(far.calls("create_note")) == 1
        assert far.calls("get_note") == []
        assert page(running, "/ready").status == 503
        assert running.process.poll() is None


def test_a_disk_that_is_repaired_is_written_again_and_nothing_counts_twice(
    far: Upstream, home: Path, tmp_path: Path
) -> None:
    with (
        breaking_disk(home / "data" / "audit", tmp_path / "image") as disk,
        town(far, home) as running,
        running.caller() as caller,
    ):
        assert well(caller)
        assert well(caller)
        disk.fail()
        assert refused(caller.tool("create_note"))
        reached = len(far.calls("create_note"))

        disk.repair()
        assert within(60, lambda: well(caller))
        assert within(60, lambda: page(running, "/ready").status == 200)
        assert well(caller, "get_note")
        assert within(60, lambda: "audit.segment_recovered" in running.output())
        assert running.stop() == 0

        assert counted(running) == len(far.calls("create_note")) > reached
        assert "audit.segment_left" in running.output()
        said = torhaus("audit", "verify", "--data-dir", str(running.data), at=home)
        assert said.code == 0, said.out + said.err
        assert "audit.unmarked" not in running.output().split("audit.recovered")[1]


def test_a_gateway_does_not_start_where_it_cannot_write(far: Upstream, home: Path) -> None:
    with small_disk(home / "data" / "audit") as disk:
        disk.fill()

        refusing = town(far, home)
        words = ["-c", str(refusing.file), "--port", "0", "--data-dir", str(refusing.data)]
        said = torhaus("serve", *words, at=home, env=refusing.env)

    assert said.code == 1
    assert "No space left on device" in said.err
    assert far.seen == []


def test_refusals_for_want_of_a_record_can_be_read_by_models_and_programs(
    far: Upstream, home: Path, disk: SmallDisk
) -> None:
    with town(far, home) as running, running.caller() as caller:
        assert well(caller)
        disk.fill()
        until_refused(caller)

        listed = caller.ask(*caller.call("create_note")).message
        assert json.dumps(listed["result"]["content"]).count(REASON) == 1
        with running.caller() as other:
            error = other.ask({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {}})
            assert REASON in error.message["error"]["message"]
