"""Real clients use extensions of real servers, at their own address and at that of all."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.callers import PROGRAMS, run
from tests.clients.conftest import ALICE
from tests.clients.gateway import Gateway
from tests.clients.test_crossed_eras import BOB
from tests.clients.warm import WarmProgram
from tests.clients.wire import Wire
from tests.ports import free_port

EXTENDED = Path(__file__).resolve().parent / "servers" / "extended.py"
TASKS, APPS = "io.modelcontextprotocol/tasks", "io.modelcontextprotocol/ui"
CONFIG = """
users:
  - {email: alice@example.com, role: developer, api_keys: ["${ALICE_KEY}"]}
  - {email: bob@example.com, role: developer, api_keys: ["${BOB_KEY}"]}
accessControl:
  - {role: developer, allow: [new.execute, new.read, old.execute, old.read]}
mcpServers:
"""


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One server as one of each era. Its tools execute; nobody holds everything on it."""
    home, port = tmp_path_factory.mktemp("extended"), free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    does = {"tools": {"slow": {"action": "execute"}, "clock": {"action": "read"}}}
    entries = "".join(
        f"  {name}: {json.dumps({'url': url, 'era': era, 'classification': does})}\n"
        for name, era in (("new", "modern"), ("old", "legacy"))
    )
    keys = {"ALICE_KEY": ALICE, "BOB_KEY": BOB}
    with (
        WarmProgram([sys.executable, str(EXTENDED), str(port)], port, home / "extended.log"),
        Gateway(CONFIG + entries, home / "g", keys) as gateway,
    ):
        yield gateway


def seen(gateway: Gateway, where: str, mode: str, prefix: str, home: Path) -> dict[str, Any]:
    url = gateway.url(where).rstrip("/")
    program = [sys.executable, str(PROGRAMS / "extended_python.py")]
    return run([*program, url, mode, "apikey", ALICE, prefix], home)


@pytest.mark.parametrize(("where", "prefix"), [("new", ""), ("", "new__")])
def test_a_task_is_polled_answered_and_cancelled_and_a_page_is_read(
    where: str, prefix: str, extended: Gateway, tmp_path: Path
) -> None:
    found = seen(extended, where, "auto", prefix, tmp_path)

    page = "ui://new/clock/app.html" if prefix else "ui://clock/app.html"
    assert found["extensions"] == [TASKS, APPS]
    assert found["page"] == page
    assert found["read"] == [page, "<!doctype html>"]
    link = "new+test://done" if prefix else "test://done"
    assert found["done"] == ["done: tea", link]
    assert found["cancelled"] is True
    question = "[new] which word?" if prefix else "which word?"
    assert found["asked"] == [question]
    assert len(set(found["ids"])) == 2  # each task has one id, whatever it is asked
    assert not [each for each in found["ids"] if "task-" in each]
    records = [
        (each["operation"], each["parameters"].get("tool"))
        for each in extended.records()
        if each["operation"].startswith("tasks/") and each["result"]["status"] == "success"
    ]
    assert {("tasks/get", "slow"), ("tasks/update", "slow"), ("tasks/cancel", "slow")} == set(
        records
    )


@pytest.mark.parametrize(("where", "prefix"), [("new", ""), ("", "new__")])
def test_a_client_that_never_polls_hears_how_its_tasks_go_on(
    where: str, prefix: str, extended: Gateway, tmp_path: Path
) -> None:
    url = extended.url(where).rstrip("/")
    program = [sys.executable, str(PROGRAMS / "told_python.py")]

    found = run([*program, url, "apikey", ALICE, prefix], tmp_path)

    first, second = found["tasks"]
    of = {
        task: [each for each in found["news"] if each["task_id"] == task]
        for task in (first, second)
    }
    said = {task: [each["status"] for each in news] for task, news in of.items()}
    assert said == {
        first: ["input_required", "completed"],
        second: ["input_required", "cancelled"],
    }
    asked, done = of[first]
    question = "[new] which word?" if prefix else "which word?"
    assert asked["input_requests"]["word"]["params"]["message"] == question
    assert done["result"]["content"][0]["text"] == "done: tea"
    assert done["result"]["content"][1]["uri"] == ("new+test://done" if prefix else "test://done")
    assert {each["by"] for each in found["news"]} == {found["ended"]}


@pytest.mark.parametrize(("where", "prefix"), [("old", ""), ("", "old__")])
def test_a_page_is_read_across_the_eras_and_a_task_is_not_made(
    where: str, prefix: str, extended: Gateway, tmp_path: Path
) -> None:
    found = seen(extended, where, "auto", prefix, tmp_path)

    page = "ui://old/clock/app.html" if prefix else "ui://clock/app.html"
    assert found["read"] == [page, "<!doctype html>"]
    assert found["done"] == ["at once"]


@pytest.mark.node
@pytest.mark.parametrize("server", ["everything-http", "everything-stdio"])
def test_tasks_of_the_older_kind_belong_to_their_user(server: str, gateway: Gateway) -> None:
    wire = Wire(gateway.url(server), {"apikey": ALICE})
    offered = wire.open()["capabilities"]["tasks"]
    call = {"name": "simulate-research-query", "arguments": {"topic": "gates"}}

    made = wire.call("tools/call", {**call, "task": {"ttl": 60000}})["task"]
    polled = wire.call("tasks/get", {"taskId": made["taskId"]})
    result = wire.call("tasks/result", {"taskId": made["taskId"]})
    other = wire.call("tools/call", {**call, "task": {"ttl": 60000}})["task"]
    cancelled = wire.call("tasks/cancel", {"taskId": other["taskId"]})

    assert "list" not in offered
    assert polled["taskId"] == made["taskId"]
    assert polled["status"] in ("working", "completed")
    assert "gates" in json.dumps(result["content"])
    related = result["_meta"]["io.modelcontextprotocol/related-task"]
    assert related["taskId"] == made["taskId"]
    assert (cancelled["taskId"], cancelled["status"]) == (other["taskId"], "cancelled")
    with pytest.raises(RuntimeError, match="not known here"):
        wire.call("tasks/get", {"taskId": "x"})
    with pytest.raises(RuntimeError, match="not listed here"):
        wire.call("tasks/list")
    operations = [each["operation"] for each in gateway.records()[-8:]]
    assert "tasks/result" in operations
