"""Real clients are asked by real servers of the other era, three times in one call."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import upstreams
from tests.clients.callers import PROGRAMS, run
from tests.clients.conftest import ALICE
from tests.clients.gateway import Gateway
from tests.clients.running import Program, free_port

MODERN = "2026-07-28"
ASKING = Path(__file__).resolve().parent / "servers" / "asking.py"
CONFIG = """
users:
  - email: alice@example.com
    role: developer
    api_keys: ["${ALICE_KEY}"]

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
    with (
        Program(command, port, home / "asking.log"),
        Gateway(CONFIG + entries, home / "gateway", {"ALICE_KEY": ALICE}) as gateway,
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
