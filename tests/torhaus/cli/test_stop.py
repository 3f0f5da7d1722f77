"""`torhaus stop`, against a running gateway."""

from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.offices import office, run
from tests.torhaus.cli.terminal import KEY


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with office(tmp_path_factory.mktemp("office")) as running:
        yield running


def test_a_person_is_stopped_and_released(gate: Gate) -> None:
    assert run(gate, "stop", "list").out == "Nothing is stopped.\n"
    made = run(gate, "stop", "user", "alice@example.com", "--reason", "lost laptop", "--for", "1h")
    assert made.code == 0, made.err
    refused = run(gate, "access", "list", key=KEY)
    assert (refused.code, "lost laptop" in refused.err) == (1, True)
    (found,) = run(gate, "stop", "list", "--json").json()
    assert "alice@example.com" in run(gate, "stop", "list").out

    lifted = run(gate, "stop", "lift", found["id"])

    assert lifted.out == "alice@example.com is released.\n"
    assert run(gate, "access", "list", key=KEY).code == 0
    assert run(gate, "stop", "lift", found["id"]).code == 1


def test_servers_tools_and_keys_are_stopped_by_their_names(gate: Gate) -> None:
    server = run(gate, "servers", "--json").json()[0]["name"]
    for words in (("server", server), ("tool", f"{server}/create_issue"), ("key", "file_000000")):
        done = run(gate, "stop", *words, "--reason", "x", "--json")
        assert (done.code, done.json()["in_force"]) == (0, True), done.err
    assert run(gate, "stop", "tool", "create_issue", "--reason", "x").code == 1
    assert run(gate, "stop", "server", server).code == 2
