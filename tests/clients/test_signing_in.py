"""Real clients sign in with nothing but an address: the TypeScript SDKs, and mcp-remote."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import pytest

from tests.clients import upstreams
from tests.clients.accounts import give_password
from tests.clients.browsing import Browser
from tests.clients.gateway import Gateway
from tests.clients.running import environment
from tests.clients.upstreams import MODULES, NODE_CLIENTS

pytestmark = pytest.mark.node
WHO, PASSWORD = "bob@example.com", "correct horse battery staple"
SECONDS = 140.0
CONFIG = """
users:
  - {{email: bob@example.com, role: developer}}
roles:
  developer: {{permissions: ["tickets:*"]}}
mcpServers:
  tickets: {{url: "http://127.0.0.1:{port}/mcp"}}
"""
HELLO = {
    "protocolVersion": "2025-11-25",
    "capabilities": {},
    "clientInfo": {"name": "asking", "version": "1"},
}


@pytest.fixture(scope="module")
def gate(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home = tmp_path_factory.mktemp("signing-in")
    with upstreams.tickets("http", home) as tickets:
        gateway = Gateway(CONFIG.format(port=tickets.port), home / "gateway")
        give_password(gateway.data, WHO, PASSWORD)
        with gateway:
            yield gateway


@contextmanager
def program(command: list[str], home: Path) -> Iterator["subprocess.Popen[str]"]:
    """Ends with the context, and by itself when it takes too long."""
    pipe = subprocess.PIPE
    env = environment(home, {"MCP_REMOTE_CONFIG_DIR": str(home)})
    with subprocess.Popen(
        command, env=env, cwd=home, stdin=pipe, stdout=pipe, stderr=pipe, text=True
    ) as running:
        guard = threading.Timer(SECONDS, running.kill)
        guard.start()
        try:
            yield running
        finally:
            guard.cancel()
            running.kill()


def address(lines: IO[str], gate: Gateway) -> str:
    """The one that the program wants to have opened."""
    said = []
    for line in lines:
        said.append(line)
        if f"127.0.0.1:{gate.port}/authorize?" in line:
            return "http" + line.strip().partition("http")[2]
    raise AssertionError("".join(said))


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_an_sdk_registers_signs_in_and_refreshes(
    version: str, gate: Gateway, node: str, tmp_path: Path
) -> None:
    script, arguments = str(NODE_CLIENTS / "signing_in.mjs"), json.dumps({"query": "a word"})
    command = [node, script, version, gate.url("tickets"), "search_issues", arguments]
    with program(command, tmp_path) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        Browser().sign_in(address(running.stdout, gate), WHO, PASSWORD)
        said = running.stdout.read()
        assert running.wait() == 0, running.stderr.read()

    seen = json.loads(said.strip().splitlines()[-1])

    assert "search_issues" in seen["tools"]
    assert (seen["text"], seen["error"]) == ("nothing about a word", False)
    assert seen["refreshed"]
    assert seen["iss"] == f"http://127.0.0.1:{gate.port}"
    assert seen["method"] == "none"
    people = [each["user"]["email"] for each in gate.records()]
    assert [each for each in people if each != "torhaus"][-1] == WHO  # the house records, too


def test_mcp_remote_lets_a_program_in_that_knows_stdio_only(
    gate: Gateway, node: str, tmp_path: Path
) -> None:
    proxy = MODULES / "mcp-remote" / "dist" / "proxy.js"
    with program([node, str(proxy), gate.url("tickets")], tmp_path) as running:
        assert running.stdin is not None
        assert running.stdout is not None
        assert running.stderr is not None
        Browser().sign_in(address(running.stderr, gate), WHO, PASSWORD)
        listening = threading.Thread(target=running.stderr.read, daemon=True)
        listening.start()  # or the pipe fills, and it stops

        hello = ask(running, 1, "initialize", HELLO)
        tell(running, {"method": "notifications/initialized"})
        found = ask(
            running, 2, "tools/call", {"name": "search_issues", "arguments": {"query": "x"}}
        )

    assert hello["serverInfo"]
    assert found["content"][0]["text"] == "nothing about x"


def tell(running: "subprocess.Popen[str]", message: dict[str, Any]) -> None:
    assert running.stdin is not None
    running.stdin.write(json.dumps({"jsonrpc": "2.0", **message}) + "\n")
    running.stdin.flush()


def ask(running: "subprocess.Popen[str]", id: int, method: str, params: Any) -> Any:
    tell(running, {"id": id, "method": method, "params": params})
    assert running.stdout is not None
    for line in running.stdout:
        answer = json.loads(line)
        if answer.get("id") == id:
            return answer["result"]
    raise AssertionError(f"no answer to {method}")
