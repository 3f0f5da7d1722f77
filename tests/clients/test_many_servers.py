"""Real clients at the one address of all servers, which stand behind it on every transport."""

import secrets
import sys
from pathlib import Path

import pytest

from tests.clients.callers import EITHER_ERA, MODERN_ONLY, PROGRAMS, Caller, Want, run
from tests.clients.conftest import ALICE
from tests.clients.gateway import Gateway

pytestmark = pytest.mark.node
CLIENTS = [EITHER_ERA[0], EITHER_ERA[3], EITHER_ERA[4], EITHER_ERA[6], *MODERN_ONLY[:3]]
"""One of each SDK in each era it speaks."""
PREFIXES = {"everything-http", "everything-sse", "everything-stdio"} | {
    "tickets-http",
    "tickets-sse",
    "tickets-stdio",
}


def ask(caller: Caller, gateway: Gateway, node: str, home: Path, tool: str, **said: str) -> str:
    url = gateway.url("").rstrip("/")
    want = Want(url=url, header="apikey", value=ALICE, tool=tool, arguments=said)
    seen = caller.ask(want, node, home)

    assert {name.partition("__")[0] for name in seen.tools} == PREFIXES
    assert not seen.error
    return seen.text


@pytest.mark.parametrize("caller", CLIENTS, ids=str)
def test_a_client_lists_all_servers_and_calls_one_of_them(
    caller: Caller, gateway: Gateway, node: str, tmp_path: Path
) -> None:
    word = f"word{secrets.token_hex(8)}"

    text = ask(caller, gateway, node, tmp_path, "tickets-http__search_issues", query=word)

    assert text == f"nothing about {word}"
    assert [
        (each["mcp_server"], each["operation"], each["result"]["status"])
        for each in gateway.records()
        if each["parameters"].get("query") == word
    ] == [("tickets-http", "search_issues", "success")]


@pytest.mark.parametrize("server", ["everything-http", "everything-sse", "everything-stdio"])
@pytest.mark.parametrize("caller", EITHER_ERA[:1], ids=str)
def test_it_reaches_servers_that_know_sessions_only(
    caller: Caller, server: str, gateway: Gateway, node: str, tmp_path: Path
) -> None:
    word = f"word{secrets.token_hex(8)}"

    assert ask(caller, gateway, node, tmp_path, f"{server}__echo", message=word) == f"Echo: {word}"


@pytest.mark.parametrize("mode", ["legacy", "2026-07-28"])
def test_resources_prompts_progress_and_questions_find_their_way(
    mode: str, gateway: Gateway, tmp_path: Path
) -> None:
    program = [sys.executable, str(PROGRAMS / "many_python.py")]
    url = gateway.url("").rstrip("/")

    seen = run([*program, url, mode, ALICE], tmp_path)

    assert seen["read"][0] == seen["read"][1]
    assert seen["notes"] == "Tickets of the gatehouse."
    assert seen["templates"] == ["everything-http", "everything-sse", "everything-stdio"]
    assert set(seen["prompts"]) == PREFIXES
    assert seen["prompt"] == "Please triage issue 7."
    assert all(each.startswith("everything-http+") for each in seen["links"])
    assert seen["links"]
    assert seen["followed"]
    assert seen["progress"] == [1, 2, 3]
    assert seen["asked"] == ["[everything-http]"]
