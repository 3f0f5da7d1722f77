"""Real clients are asked by real servers of the other era, three times in one call."""

import json
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import upstreams
from tests.clients.callers import PROGRAMS, run
from tests.clients.conftest import ALICE
from tests.clients.gateway import Gateway
from tests.clients.running import Program, free_port

BOB = "bob-key-77aa2c1d90be4c5f8e31"
MODERN = "2026-07-28"
ASKING = Path(__file__).resolve().parent / "servers" / "asking.py"
CONFIG = """
users:
  - email: alice@example.com
    role: developer
    api_keys: ["${ALICE_KEY}"]
  - email: bob@example.com
    role: developer
    api_keys: ["${BOB_KEY}"]

accessControl:
  - role: developer
    allow: [old.*, new.*, stdio.*]

mcpServers:
"""
ASKED = ["the first word?", "the second word?", "the third word?"]
pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def crossed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """One server behind the gate as an old and as a new one, and as a process."""
    home, port = tmp_path_factory.mktemp("crossed"), free_port()
    command = [sys.executable, str(ASKING), "http", str(port)]
    url = f"http://127.0.0.1:{port}/mcp"
    servers = {
        "old": {"url": url, "era": "legacy"},
        "new": {"url": url, "era": "modern"},
        "stdio": {"command": sys.executable, "args": [str(ASKING), "stdio"]},
    }
    entries = "".join(f"  {name}: {json.dumps(entry)}\n" for name, entry in servers.items())
    keys = {"ALICE_KEY": ALICE, "BOB_KEY": BOB}
    with (
        Program(command, port, home / "asking.log"),
        Gateway(CONFIG + entries, home / "gateway", keys) as gateway,
    ):
        yield gateway


@pytest.mark.parametrize(
    ("program", "mode", "server", "tool", "calls"),
    [
        ("asked_python", "legacy", "new", "rounds", 1),
        ("asked_v1", "legacy", "new", "rounds", 1),
        ("asked_v2", "legacy", "new", "rounds", 1),
        ("asked_python", MODERN, "old", "interview", 4),
        ("asked_python", "auto", "old", "interview", 4),
        ("asked_v2", MODERN, "old", "interview", 4),
        ("asked_python", MODERN, "stdio", "interview", 4),
        ("asked_v2", "auto", "stdio", "interview", 4),
    ],
)
def test_a_person_is_asked_across_the_eras(
    program: str,
    mode: str,
    server: str,
    tool: str,
    calls: int,
    crossed: Gateway,
    node: str,
    tmp_path: Path,
) -> None:
    python = [sys.executable, str(PROGRAMS / f"{program}.py")]
    script = [node, str(upstreams.NODE_CLIENTS / f"{program}.mjs")]
    command = python if program.endswith("python") else script
    before = len(crossed.records())

    seen = run([*command, crossed.url(server), mode, "apikey", ALICE, tool], tmp_path)

    assert (seen["asked"], seen["text"]) == (ASKED, "w1 w2 w3")
    if program == "asked_python" and tool == "interview":
        assert seen["steps"] == [1, 2, 3]
    records = [each for each in crossed.records()[before:] if each["operation"] == tool]
    assert len(records) == calls
    assert {each["result"]["status"] for each in records} == {"success"}


def post(gateway: Gateway, server: str, key: str, arguments: dict[str, Any], **more: Any) -> Any:
    """The answer to a stateless call of `interview` whose client can be asked."""
    prefix = "io.modelcontextprotocol/"
    envelope = {
        prefix + "protocolVersion": MODERN,
        prefix + "clientInfo": {"name": "raw", "version": "1"},
        prefix + "clientCapabilities": {"elicitation": {}},
    }
    params = {"name": "interview", "arguments": arguments, "_meta": envelope, **more}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {
        "apikey": key,
        "content-type": "application/json",
        "accept": "application/json, text/event-stream",
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": "interview",
    }
    data = json.dumps(body).encode()
    request = urllib.request.Request(gateway.url(server), data, headers)
    try:
        with urllib.request.urlopen(request, timeout=20) as page:
            return json.loads(page.read())
    except urllib.error.HTTPError as refused:
        return json.loads(refused.read())


@pytest.mark.parametrize("server", ["old", "stdio"])
def test_only_the_same_call_of_the_same_person_goes_on(server: str, crossed: Gateway) -> None:
    asked = post(crossed, server, ALICE, {})["result"]
    state = asked["requestState"]
    (key,) = asked["inputRequests"]
    said = {key: {"action": "accept", "content": {"word": "w"}}}
    flipped = state[:-3] + ("A" if state[-3] != "A" else "B") + state[-2:]
    before = len(crossed.intents())

    refused = [
        post(crossed, server, BOB, {}, requestState=state, inputResponses=said),
        post(crossed, server, ALICE, {"x": 1}, requestState=state, inputResponses=said),
        post(crossed, server, ALICE, {}, requestState=flipped, inputResponses=said),
    ]

    assert [each["error"]["code"] for each in refused] == [-32602] * 3
    assert len(crossed.intents()) == before
    went_on = post(crossed, server, ALICE, {}, requestState=state, inputResponses=said)["result"]
    (second,) = went_on["inputRequests"].values()
    assert second["params"]["message"] == ASKED[1]
