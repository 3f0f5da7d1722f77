"""Real clients are asked by real servers of the other era, three times in one call."""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients import upstreams
from tests.clients.callers import PROGRAMS, run
from tests.clients.conftest import ALICE
from tests.clients.gateway import Gateway
from tests.clients.warm import WarmProgram
from tests.clients.wire import MODERN, stateless
from tests.ports import free_port

BOB = "bob-key-77aa2c1d90be4c5f8e31"
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
    allow: [old.*, new.*, stdio.*, brief.*]

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
        "brief": {"url": url, "era": "legacy", "parked_expiry": "1s", "parked_limit": 1},
    }
    entries = "".join(f"  {name}: {json.dumps(entry)}\n" for name, entry in servers.items())
    keys = {"ALICE_KEY": ALICE, "BOB_KEY": BOB}
    with (
        WarmProgram(command, port, home / "asking.log"),
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
    able = {"elicitation": {}}
    return stateless(gateway.url(server), key, "interview", arguments, able, **more)


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


def test_a_call_that_nobody_comes_back_to_leaves_a_record_of_its_end(crossed: Gateway) -> None:
    before = len(crossed.records())
    asked = post(crossed, "brief", ALICE, {"x": 1})["result"]
    second = post(crossed, "brief", ALICE, {"x": 2})["result"]
    other = post(crossed, "brief", BOB, {})["result"]
    assert "requestState" not in second  # one call of a person waits here at a time
    assert "requestState" in other

    deadline = time.monotonic() + 60
    while all(map(is_round, crossed.records()[before:])) and time.monotonic() < deadline:
        time.sleep(0.05)

    records = crossed.records()[before:]
    (first,) = [r for r in records if r["parameters"] == {"x": 1} and is_round(r)]
    (lapsed,) = [r for r in records if r["parameters"] == {"x": 1} and not is_round(r)]
    assert first["result"]["status"] == "success"
    assert lapsed["operation"] == "interview"
    assert lapsed["access_control"]["reason"] == (
        "nobody answered the server within 1 s, so it was told cancel; "
        f"it follows {first['request_id']}"
    )
    (key,) = asked["inputRequests"]
    said = {key: {"action": "accept", "content": {"word": "w"}}}
    late = post(
        crossed, "brief", ALICE, {"x": 1}, requestState=asked["requestState"], inputResponses=said
    )
    assert late["error"]["code"] == -32602


def is_round(record: dict[str, Any]) -> bool:
    return bool(record["result"]["status"] != "cancelled")
