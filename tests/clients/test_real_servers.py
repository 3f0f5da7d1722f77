"""Servers from the package registries, started by the gate as its children."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.callers import EITHER_ERA, MODERN, MODERN_ONLY, Want
from tests.clients.gateway import Gateway
from tests.clients.upstreams import NODE_CLIENTS
from tests.clients.wire import Wire

KEY = "bob-key-77d04be1c6a94f5f8e21"
CONFIG = """
users:
  - email: bob@example.com
    role: developer
    api_keys: ["${{BOB_KEY}}"]

accessControl:
  - role: developer
    allow:
      - time.*
      - git.read

mcpServers:
  time:
    command: {bin}/mcp-server-time
    args: ["--local-timezone", "Europe/Berlin"]
  git:
    command: {bin}/mcp-server-git
    args: ["--repository", "{repository}"]
"""
STATELESS = """
users:
  - {email: bob@example.com, role: developer, api_keys: ["${BOB_KEY}"]}
accessControl:
  - {role: developer, allow: ["*"]}
mcpServers:
"""
WHO = {"GIT_AUTHOR_NAME": "Bob", "GIT_AUTHOR_EMAIL": "bob@example.com"}
WHO |= {"GIT_COMMITTER_NAME": "Bob", "GIT_COMMITTER_EMAIL": "bob@example.com"}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("repository")
    (path / "gate.txt").write_text("open\n")
    git = shutil.which("git") or "git"
    for step in (["init", "-q"], ["add", "gate.txt"], ["commit", "-qm", "Open the gate"]):
        subprocess.run([git, "-C", str(path), *step], check=True, env={**os.environ, **WHO})
    return path


@pytest.fixture(scope="module")
def gateway(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    programs = Path(sys.executable).parent
    config = CONFIG.format(bin=programs, repository=repository)
    with Gateway(config, tmp_path_factory.mktemp("gateway"), {"BOB_KEY": KEY}) as running:
        yield running


def test_the_time_server_tells_the_time(gateway: Gateway) -> None:
    wire = Wire(gateway.url("time"), {"apikey": KEY})
    wire.open()

    result = wire.tool("get_current_time", {"timezone": "Europe/Berlin"})

    assert "Europe/Berlin" in result["content"][0]["text"]
    assert not result.get("isError")


def test_the_git_server_reads_but_does_not_write(gateway: Gateway, repository: Path) -> None:
    wire = Wire(gateway.url("git"), {"apikey": KEY})
    wire.open()

    log = wire.tool("git_log", {"repo_path": str(repository)})
    refused = wire.tool("git_create_branch", {"repo_path": str(repository), "branch_name": "x"})

    assert "Open the gate" in log["content"][0]["text"]
    assert refused["isError"] is True
    assert not (repository / ".git" / "refs" / "heads" / "x").exists()
    offered = {tool["name"] for tool in wire.call("tools/list")["tools"]}
    assert "git_log" in offered
    assert "git_create_branch" not in offered


def test_stopping_the_gate_stops_its_children(
    repository: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    config = CONFIG.format(bin=Path(sys.executable).parent, repository=repository)
    gateway = Gateway(config, tmp_path_factory.mktemp("stopped"), {"BOB_KEY": KEY})
    with gateway:
        wire = Wire(gateway.url("time"), {"apikey": KEY})
        wire.open()
        children = descendants(gateway.pid)

        code = gateway.stop()

    assert code in (0, -signal.SIGTERM)  # all is closed, then it ends by the signal it was sent
    assert children != set()
    assert {pid for pid in children if Path(f"/proc/{pid}").exists()} == set()


def descendants(pid: int) -> set[int]:
    found: set[int] = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(stat.read_text().rsplit(")", 1)[1].split()[1])
        except OSError:
            continue  # it ended while we looked
        if parent == pid:
            found |= {int(stat.parent.name)}
    return found | {each for child in found for each in descendants(child)}


@pytest.mark.node
@pytest.mark.parametrize("mode", ["legacy", MODERN])
def test_a_server_on_stdio_that_refuses_sessions_is_reached_by_clients_of_both_eras(
    mode: str, node: str, tmp_path: Path
) -> None:
    """The TypeScript SDK v2 with `legacy: 'reject'`; nothing is configured."""
    entry = {"command": node, "args": [str(NODE_CLIENTS / "stateless_stdio.mjs")]}
    config = STATELESS + f"  stateless: {json.dumps(entry)}\n"
    caller = next(each for each in EITHER_ERA + MODERN_ONLY if each.mode == mode)

    with Gateway(config, tmp_path / "gateway", {"BOB_KEY": KEY}) as gateway:
        at = gateway.url("stateless")
        want = Want(url=at, header="apikey", value=KEY, tool="echo", arguments={"text": "word"})
        seen = caller.ask(want, node, tmp_path)

    assert (seen.tools, seen.text, seen.error) == (["echo"], "word", False)
