"""`torhaus teams`, against a running gateway."""

from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.offices import office, run

ERIN, FRANK = "erin@example.com", "frank@example.com"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with office(tmp_path_factory.mktemp("office")) as running:
        for email in (ERIN, FRANK):
            assert run(running, "users", "add", email).code == 0
        yield running


def call(gate: Gate, key: str, *what: str) -> int:
    return run(gate, "call", *what, "--url", gate.url, key=key).code


def test_what_a_team_gives_counts_from_the_next_call_on(gate: Gate) -> None:
    key = run(gate, "keys", "mint", "--label", "k", "--person", ERIN, "--json").json()["key"]
    assert call(gate, key, "git", "git_status") == 1
    words = ("--role", "reader", "--servers", "git", "--member", ERIN)

    made = run(gate, "teams", "create", "night shift", *words)
    assert made.code == 0, made.err
    assert made.out.splitlines()[0] == "night shift"
    assert "only on" in made.out

    assert call(gate, key, "git", "git_status") == 0
    assert call(gate, key, "time", "get_current_time") == 1
    assert run(gate, "teams", "change", "night shift", "--all-servers").code == 0
    assert call(gate, key, "time", "get_current_time") == 0
    left = run(gate, "teams", "remove", "night shift", ERIN)
    assert "Nobody is in it." in left.out
    assert call(gate, key, "git", "git_status") == 1


def test_teams_are_listed_changed_and_deleted(gate: Gate) -> None:
    assert run(gate, "teams", "create", "web").code == 0
    both = run(gate, "teams", "add", "web", ERIN, FRANK, "--json")
    assert both.json()["members"] == [ERIN, FRANK]
    assert run(gate, "teams", "change", "web", "--role", "reader", "--servers", "git").code == 0
    [row] = [each for each in run(gate, "teams", "list").out.splitlines() if "web" in each]
    assert row.split() == ["web", "2", "members", "reader", "only", "on", "git"]
    shown = run(gate, "teams", "show", "web", "--json").json()
    assert (shown["owner"], shown["roles"]) == ("database", ["reader"])
    assert "web" in run(gate, "users", "show", ERIN).out
    gone = run(gate, "teams", "delete", "web")
    assert gone.out == "web is no more; it had 2 members.\n"
    again = run(gate, "teams", "delete", "web")
    assert (again.code, again.err) == (1, "there is no such team\n")


def test_a_wrong_use_is_told(gate: Gate) -> None:
    assert run(gate, "teams", "create", "x", "--role", "wizard").code == 1
    assert run(gate, "teams", "change", "x", "--servers", "git", "--all-servers").code == 2
    assert run(gate, "teams", "add", "x").code == 2
