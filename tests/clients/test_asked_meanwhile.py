"""A server asks its session something while a call is under way: the call goes on, once."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.clients import upstreams
from tests.clients.conftest import ALICE
from tests.clients.gateway import Gateway
from tests.clients.taps import Tap
from tests.clients.wire import stateless

CONFIG = """
users:
  - {email: alice@example.com, role: developer, api_keys: ["${ALICE_KEY}"]}
accessControl:
  - {role: developer, allow: ["*"]}
mcpServers:
"""
LONG = "trigger-long-running-operation"
"""Longer than the server waits, once a session is open, before it asks for roots."""
pytestmark = pytest.mark.node


class Place:
    """The reference server behind the gate, by a stream and as a process, and what it hears."""

    def __init__(self, lines: ExitStack, node: str, home: Path) -> None:
        running = lines.enter_context(upstreams.everything("sse", node, home))
        self._tap = lines.enter_context(Tap(running.port))
        self._heard = home / "heard.jsonl"
        command = upstreams.everything_stdio(node)
        servers: dict[str, dict[str, Any]] = {
            "oldsse": {"url": f"http://127.0.0.1:{self._tap.port}/sse"},
            "stdio": {
                "command": "sh",
                "args": ["-c", 'tee "$0" | exec "$@"', str(self._heard), *command],
            },
        }
        entries = "".join(f"  {name}: {json.dumps(each)}\n" for name, each in servers.items())
        keys = {"ALICE_KEY": ALICE}
        self.gateway = Gateway(CONFIG + entries, home / "gateway", keys)
        lines.enter_context(self.gateway)

    def called(self, server: str) -> list[Any]:
        """The tool calls that have come to the server."""
        if server == "oldsse":
            said = self._tap.messages()
        else:
            said = [json.loads(each) for each in self._heard.read_text().splitlines()]
        return [each["params"]["name"] for each in said if each.get("method") == "tools/call"]


@pytest.fixture(scope="module")
def place(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with ExitStack() as lines:
        yield Place(lines, node, tmp_path_factory.mktemp("meanwhile"))


@pytest.mark.parametrize("server", ["oldsse", "stdio"])
def test_a_call_with_a_question_in_its_middle_comes_to_the_server_once(
    server: str, place: Place
) -> None:
    url, arguments = place.gateway.url(server), {"duration": 2, "steps": 2}
    able: dict[str, Any] = {"roots": {}}

    asked = stateless(url, ALICE, LONG, arguments, able)["result"]
    assert asked["resultType"] == "input_required"
    [(key, question)] = asked["inputRequests"].items()
    assert question["method"] == "roots/list"
    more = {"requestState": asked["requestState"], "inputResponses": {key: {"roots": []}}}
    done = stateless(url, ALICE, LONG, arguments, able, **more)["result"]

    assert done["resultType"] == "complete"
    assert "Duration: 2 seconds, Steps: 2" in done["content"][0]["text"]
    assert place.called(server) == [LONG]
    # Two requests came and were decided about, the second one as a round of the first.
    calls = [each for each in place.gateway.records() if each["operation"] == LONG]
    records = [each for each in calls if each["mcp_server"] == server]
    assert [each["result"]["status"] for each in records] == ["success", "success"]
    assert len({each["request_id"] for each in records}) == 2
