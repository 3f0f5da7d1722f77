"""The clients people use, each as a program that lists tools, calls one and prints what it saw."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.clients import warm
from tests.clients.running import environment
from tests.clients.upstreams import COMPILED, MODULES, NODE_CLIENTS

PROGRAMS = Path(__file__).resolve().parent / "programs"
INSPECTOR = MODULES / ".bin" / "mcp-inspector"
SECONDS = 140


@dataclass(frozen=True, slots=True, kw_only=True)
class Want:
    """What a client is told to do: where, with which credential, and which tool."""

    url: str
    header: str
    value: str
    tool: str
    arguments: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client saw: the names of the tools, and the text of the answer."""

    tools: list[str]
    text: str
    error: bool


@dataclass(frozen=True, slots=True)
class Caller:
    """`mode`: `legacy`, `auto` or a modern revision."""

    name: str
    mode: str
    needs_node: bool = False

    def __str__(self) -> str:
        return f"{self.name}-{self.mode}"

    def ask(self, want: Want, node: str, home: Path) -> Seen:
        if self.name == "inspector":
            return inspect(self.mode, want, node, home)
        program = (
            [node, str(NODE_CLIENTS / f"{self.name}.mjs")]
            if self.needs_node
            else [sys.executable, str(PROGRAMS / f"{self.name}.py")]
        )
        told = [want.url, self.mode, want.header, want.value, want.tool]
        seen = run([*program, *told, json.dumps(want.arguments)], home)
        return Seen(seen["tools"], seen["text"], seen["error"])


def inspect(mode: str, want: Want, node: str, home: Path) -> Seen:
    era = mode if mode in ("legacy", "auto") else "modern"
    server = {
        "type": "streamable-http",
        "url": want.url,
        "headers": {want.header: want.value},
        "protocolEra": era,
    }
    file = home / f"inspector-{era}.json"
    file.write_text(json.dumps({"mcpServers": {"gate": server}}))
    # fmt: off
    base = [
        node, str(INSPECTOR.resolve()), "--cli", "--config", str(file), "--server", "gate",
        "--stored-auth-only", "--format", "json", "--method",
    ]
    # fmt: on
    listed = run([*base, "tools/list"], home)["result"]
    pairs = [f"{name}={value}" for name, value in want.arguments.items()]
    called = run([*base, "tools/call", "--tool-name", want.tool, "--tool-arg", *pairs], home)
    result = called["result"]
    names = [each["name"] for each in listed["tools"]]
    return Seen(names, result["content"][0]["text"], bool(result.get("isError")))


def run(command: list[str], home: Path) -> dict[str, Any]:
    """The JSON a program prints last. Raises AssertionError with all its output."""
    if command[0] == sys.executable:
        done = warm.run(command[1:], NODE_CLIENTS, environment(home), SECONDS)
    else:
        done = subprocess.run(
            command,
            env=environment(home, COMPILED),
            cwd=NODE_CLIENTS,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}"
    last: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return last


MODERN = "2026-07-28"
EITHER_ERA = [
    Caller("sdk_python", "legacy"),
    Caller("sdk_python", "auto"),
    Caller("fastmcp_python", "legacy"),
    Caller("fastmcp_python", "auto"),
    Caller("sdk_v1", "legacy", needs_node=True),
    Caller("sdk_v2", "legacy", needs_node=True),
    Caller("sdk_v2", "auto", needs_node=True),
    Caller("inspector", "legacy", needs_node=True),
    Caller("inspector", "auto", needs_node=True),
]
MODERN_ONLY = [
    Caller("sdk_python", MODERN),
    Caller("fastmcp_python", MODERN),
    Caller("sdk_v2", MODERN, needs_node=True),
    Caller("inspector", MODERN, needs_node=True),
]
