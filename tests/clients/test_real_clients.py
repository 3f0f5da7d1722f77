"""Every client that people use lists and calls tools through the gate, on every transport."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.callers import EITHER_ERA, MODERN_ONLY, Caller, Want
from tests.clients.conftest import ALICE
from tests.clients.gateway import Gateway
from tests.clients.taps import Tap

HEADERS = {"apikey": ALICE, "Authorization": f"Bearer {ALICE}", "X-API-Key": ALICE}
LEGACY_SERVERS = ["everything-http", "everything-sse", "everything-stdio"]
MODERN_SERVERS = ["tickets-http", "tickets-stdio"]
pytestmark = pytest.mark.node


@pytest.fixture(scope="module")
def edge(gateway: Gateway) -> Iterator[Tap]:
    """What the clients say to the gate."""
    with Tap(gateway.port) as tap:
        yield tap


def want(edge: Tap, server: str, header: str, tool: str, **arguments: str) -> Want:
    return Want(
        url=f"http://127.0.0.1:{edge.port}/mcp/{server}",
        header=header,
        value=HEADERS[header],
        tool=tool,
        arguments=arguments,
    )


@pytest.mark.parametrize("server", LEGACY_SERVERS)
@pytest.mark.parametrize("caller", EITHER_ERA, ids=str)
def test_a_client_lists_and_calls_tools_and_leaves_a_record_of_each_request(
    caller: Caller, server: str, gateway: Gateway, edge: Tap, node: str, tmp_path: Path
) -> None:
    word = f"word{secrets.token_hex(8)}"

    seen = caller.ask(want(edge, server, "apikey", "echo", message=word), node, tmp_path)

    assert {"echo", "get-sum", "get-tiny-image"} <= set(seen.tools)
    assert (seen.text, seen.error) == (f"Echo: {word}", False)
    assert recorded(gateway, edge, "message", word) == {("alice@example.com", server, "success")}


@pytest.mark.parametrize("server", [*MODERN_SERVERS, "tickets-sse"])
@pytest.mark.parametrize("caller", EITHER_ERA, ids=str)
def test_a_client_of_either_era_reaches_a_server_of_both(
    caller: Caller, server: str, gateway: Gateway, edge: Tap, node: str, tmp_path: Path
) -> None:
    word = f"word{secrets.token_hex(8)}"

    seen = caller.ask(want(edge, server, "apikey", "search_issues", query=word), node, tmp_path)

    assert set(seen.tools) == {"list_issues", "create_issue", "get_me", "search_issues"}
    assert (seen.text, seen.error) == (f"nothing about {word}", False)
    assert recorded(gateway, edge, "query", word) == {("alice@example.com", server, "success")}


@pytest.mark.parametrize("server", MODERN_SERVERS)
@pytest.mark.parametrize("caller", MODERN_ONLY, ids=str)
def test_a_client_pinned_to_the_newest_revision_stays_on_it(
    caller: Caller, server: str, gateway: Gateway, edge: Tap, node: str, tmp_path: Path
) -> None:
    word = f"word{secrets.token_hex(8)}"

    seen = caller.ask(want(edge, server, "apikey", "search_issues", query=word), node, tmp_path)

    assert (seen.text, seen.error) == (f"nothing about {word}", False)
    assert recorded(gateway, edge, "query", word) == {("alice@example.com", server, "success")}


@pytest.mark.parametrize("server", LEGACY_SERVERS)
@pytest.mark.parametrize("caller", MODERN_ONLY, ids=str)
def test_a_client_pinned_to_the_newest_revision_reaches_an_older_server(
    caller: Caller, server: str, gateway: Gateway, edge: Tap, node: str, tmp_path: Path
) -> None:
    word = f"word{secrets.token_hex(8)}"

    seen = caller.ask(want(edge, server, "apikey", "echo", message=word), node, tmp_path)

    assert (seen.text, seen.error) == (f"Echo: {word}", False)
    assert recorded(gateway, edge, "message", word) == {("alice@example.com", server, "success")}


@pytest.mark.parametrize("header", HEADERS)
@pytest.mark.parametrize(
    "caller",
    [Caller("sdk_python", "auto"), Caller("sdk_v1", "legacy", needs_node=True)],
    ids=str,
)
def test_a_key_works_in_each_header(
    caller: Caller, header: str, edge: Tap, node: str, tmp_path: Path
) -> None:
    word = f"word{secrets.token_hex(8)}"

    seen = caller.ask(want(edge, "everything-http", header, "echo", message=word), node, tmp_path)

    assert (seen.text, seen.error) == (f"Echo: {word}", False)


def recorded(gateway: Gateway, edge: Tap, argument: str, word: str) -> set[tuple[str, str, str]]:
    """Who called where, and what came of it: in a record for each request that the client made.

    It calls once. A server of an older revision may ask for its roots meanwhile: its answer is
    another request, a round of the same call (docs/compatibility.md).
    """
    requests = edge.calls(argument, word)
    assert sum("requestState" not in each for each in requests) == 1, requests
    records = [each for each in gateway.records() if each["parameters"].get(argument) == word]
    assert len(records) == len(requests)
    return {
        (each["user"]["email"], each["mcp_server"], each["result"]["status"]) for each in records
    }
