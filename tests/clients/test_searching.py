"""Real clients search for tools, describe them and call them, at servers of both eras."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.callers import EITHER_ERA, MODERN_ONLY, PROGRAMS, Caller, Want, run
from tests.clients.conftest import ALICE
from tests.clients.gateway import Gateway
from tests.clients.test_crossed_eras import ASKING, BOB, CONFIG
from tests.clients.warm import WarmProgram
from tests.ports import free_port

SEARCHED = "aggregate: {discovery: search}\n"
THREE = ["search_tools", "describe_tools", "call_tool"]
EVERY = (*EITHER_ERA, *MODERN_ONLY)
PYTHON = [each for each in EVERY if each.name.endswith("_python")]


@pytest.fixture(scope="module")
def searched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    home, port = tmp_path_factory.mktemp("searched"), free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    servers = {"old": {"url": url, "era": "legacy"}, "new": {"url": url, "era": "modern"}}
    entries = "".join(f"  {name}: {json.dumps(entry)}\n" for name, entry in servers.items())
    keys = {"ALICE_KEY": ALICE, "BOB_KEY": BOB}
    with (
        WarmProgram([sys.executable, str(ASKING), "http", str(port)], port, home / "asking.log"),
        Gateway(
            f"{CONFIG}{entries}aggregate: {{discovery: search}}\n", home / "g", keys
        ) as gateway,
    ):
        yield gateway


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_an_agent_finds_reads_and_calls_and_is_asked_on_the_way(
    mode: str, searched: Gateway, tmp_path: Path
) -> None:
    url = searched.url("").rstrip("/")
    program = [sys.executable, str(PROGRAMS / "searching_python.py")]

    seen: dict[str, Any] = run([*program, url, mode, "apikey", ALICE], tmp_path)

    assert seen["tools"] == THREE
    for name, each in seen["texts"].items():
        assert (each["found"], each["schema"]) == (True, "object"), name
        assert len(each["text"].split()) == 3
        assert len(each["direct"].split()) == 3
    assert len(seen["asked"]) == 12
    assert seen["asked"][0] == "[old] the first word?"
    assert seen["steps"][:3] == [1, 2, 3]


@pytest.mark.parametrize("caller", PYTHON, ids=str)
def test_each_python_client_searches(caller: Caller, searched: Gateway, tmp_path: Path) -> None:
    searches(caller, searched, "", tmp_path)


@pytest.mark.node
@pytest.mark.parametrize("caller", [each for each in EVERY if each not in PYTHON], ids=str)
def test_each_other_client_searches(
    caller: Caller, searched: Gateway, node: str, tmp_path: Path
) -> None:
    searches(caller, searched, node, tmp_path)


def searches(caller: Caller, searched: Gateway, node: str, home: Path) -> None:
    want = Want(
        url=searched.url("").rstrip("/"),
        header="apikey",
        value=ALICE,
        tool="search_tools",
        arguments={"query": "interview"},
    )

    seen = caller.ask(want, node, home)

    assert sorted(seen.tools) == sorted(THREE)
    assert [each["name"] for each in json.loads(seen.text)["tools"]] == [
        "old__interview",
        "new__interview",
    ]
    asked = [each for each in searched.records() if each["operation"] == "search_tools"]
    assert (asked[-1]["mcp_server"], asked[-1]["parameters"]) == ("*", {"query": "interview"})
