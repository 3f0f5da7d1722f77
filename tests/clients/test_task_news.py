"""News of tasks at the address of all servers end with what they hang on, within a second."""

import http.client
import json
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.clients.conftest import ALICE
from tests.clients.gateway import Gateway
from tests.clients.running import Program
from tests.clients.test_crossed_eras import BOB
from tests.clients.test_extensions import EXTENDED, TASKS
from tests.clients.warm import WarmProgram
from tests.clients.wire import BOTH, MODERN, stateless
from tests.ports import free_port

PREFIX = "io.modelcontextprotocol/"
ABLE = {"extensions": {TASKS: {}}}
RIGHTS = "new.execute, new.read"
CONFIG = f"""
users:
  - {{email: alice@example.com, role: developer, api_keys: ["${{ALICE_KEY}}"]}}
  - {{email: bob@example.com, role: developer, api_keys: ["${{BOB_KEY}}"]}}
accessControl:
  - {{role: developer, allow: [{RIGHTS}]}}
mcpServers:
  new:
    url: "http://127.0.0.1:%d/mcp"
    era: modern
    classification: {{tools: {{slow: {{action: execute}}}}}}
"""


class Place:
    """A gateway in front of a server of tasks, and who listens there."""

    def __init__(self, home: Path) -> None:
        port = free_port()
        self._stack = ExitStack()
        command = [sys.executable, str(EXTENDED), str(port)]
        self.server: Program = self._stack.enter_context(
            WarmProgram(command, port, home / "extended.log")
        )
        keys = {"ALICE_KEY": ALICE, "BOB_KEY": BOB}
        self.gateway = self._stack.enter_context(Gateway(CONFIG % port, home / "g", keys))

    def task(self) -> str:
        made = stateless(self.gateway.url("").rstrip("/"), ALICE, "new__slow", {}, ABLE)
        task_id: str = made["result"]["taskId"]
        return task_id

    def listen(self, key: str, task: str) -> Iterator[dict[str, Any]]:
        meta = {
            PREFIX + "protocolVersion": MODERN,
            PREFIX + "clientInfo": {"name": "raw", "version": "1"},
            PREFIX + "clientCapabilities": ABLE,
        }
        params = {"notifications": {"taskIds": [task]}, "_meta": meta}
        body = {"jsonrpc": "2.0", "id": "L", "method": "subscriptions/listen", "params": params}
        headers = {
            "apikey": key,
            "content-type": "application/json",
            "accept": BOTH,
            "mcp-protocol-version": MODERN,
            "mcp-method": "subscriptions/listen",
        }
        connection = http.client.HTTPConnection("127.0.0.1", self.gateway.port, timeout=60)
        self._stack.callback(connection.close)
        connection.request("POST", "/mcp", json.dumps(body).encode(), headers)
        for line in connection.getresponse():
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])

    def close(self) -> None:
        self._stack.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    found = Place(tmp_path)
    yield found
    found.close()


def test_news_end_with_access_and_with_their_server_and_are_nobody_elses(place: Place) -> None:
    task = place.task()
    over = {"resultType": "complete", "_meta": {PREFIX + "subscriptionId": "L"}}
    granted = {"taskIds": [task]}
    hers, his = place.listen(ALICE, task), place.listen(BOB, task)
    assert next(hers)["params"]["notifications"] == granted
    assert next(hers)["params"]["taskId"] == task
    assert next(his)["params"]["notifications"] == {}
    written = place.gateway.file.read_text()

    place.gateway.file.write_text(written.replace(RIGHTS, "new.read"))
    began = time.monotonic()
    assert next(hers)["result"] == over
    assert time.monotonic() - began < 60  # the file is looked at, and the machine may be busy
    assert next(place.listen(ALICE, task))["params"]["notifications"] == {}

    place.gateway.file.write_text(written)
    deadline = time.monotonic() + 60
    again = place.listen(ALICE, task)
    while next(again)["params"]["notifications"] != granted and time.monotonic() < deadline:
        time.sleep(0.2)
        again = place.listen(ALICE, task)
    assert next(again)["params"]["status"] == "input_required"
    place.server.kill()
    assert next(again)["result"] == over
    assert next(again, None) is None
