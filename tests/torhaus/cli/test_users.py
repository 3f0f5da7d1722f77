"""`torhaus users`, `keys` and `stop`, against a running gateway."""

from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.offices import office, run
from torhaus.cli.users import closed

ERIN = "erin@example.com"


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with office(tmp_path_factory.mktemp("office")) as running:
        yield running


def test_somebody_comes_and_goes(gate: Gate) -> None:
    added = run(gate, "users", "add", ERIN, "--role", "reader", "--for", "30d")
    assert (added.code, added.out) == (0, f"{ERIN} is active.\n"), added.err
    changed = run(gate, "users", "change", ERIN, "--role", "admin", "--forever", "--json")
    assert (changed.json()["roles"], changed.json()["expires"]) == (["admin"], None)
    listed = run(gate, "users", "list")
    assert f"{ERIN}" in listed.out
    assert "of file" in listed.out
    minted = run(gate, "keys", "mint", "--label", "ci", "--person", ERIN, "--json").json()
    me = run(gate, "users", "show", ERIN, key=minted["key"])
    assert (me.code, "admin" in me.out) == (0, True), me.err

    suspended = run(gate, "users", "suspend", ERIN, "--reason", "leave")
    assert suspended.out == f"{ERIN} is suspended.\n"
    refused = run(gate, "users", "show", ERIN, key=minted["key"])
    assert (refused.code, "suspended" in refused.err) == (1, True)
    assert run(gate, "users", "list", "--state", "suspended", "--json").json()[0]["email"] == ERIN
    assert run(gate, "users", "reinstate", ERIN).code == 0
    assert run(gate, "users", "show", ERIN, key=minted["key"]).code == 0

    moved = run(gate, "users", "relink", ERIN, "--provider", "okta")
    assert moved.code == 1
    assert moved.err.startswith("there is no such identity provider: the file names none")

    gone = run(gate, "users", "offboard", ERIN, "--reason", "left")
    assert gone.out == f"{ERIN} is gone. Closed: 1 key.\n"
    assert run(gate, "users", "show", ERIN, key=minted["key"]).code == 1
    again = run(gate, "users", "offboard", ERIN)
    assert (again.code, again.err) == (1, "this person is gone already\n")


def test_what_ended_is_counted_in_words() -> None:
    assert closed({"keys_of_file": 1, "keys": 2, "sessions": 1}) == (
        "1 key of the file, 2 keys, 1 session"
    )
    assert closed({"consents": 2, "requests": 1, "invitations": 3}) == (
        "2 clients that were let in, 1 request for access, 3 invitations"
    )
    assert closed({}) == ""


def test_a_wrong_use_is_told(gate: Gate) -> None:
    assert run(gate, "users", "add", "x@example.com", "--until", "soon").code == 2
    assert "no role" in run(gate, "users", "add", "x@example.com", "--role", "wizard").err


def test_somebody_is_held_to_some_servers(gate: Gate) -> None:
    who = "grace@example.com"
    added = run(gate, "users", "add", who, "--role", "reader", "--servers", "git,time", "--json")
    assert added.json()["servers"] == ["git", "time"]
    assert run(gate, "users", "change", who, "--servers", "git").code == 0
    assert "only on git" in run(gate, "users", "list").out
    both = run(gate, "users", "change", who, "--servers", "git", "--all-servers")
    assert (both.code, both.err) == (2, "give --servers or --all-servers, not both\n")
    assert run(gate, "users", "change", who, "--all-servers", "--json").json()["servers"] == []
    assert run(gate, "users", "change", who, "--servers", "nowhere").code == 1


def test_a_service_account_has_keys_and_somebody_who_answers_for_it(gate: Gate) -> None:
    bot, hank = "ci@services.example", "hank@example.com"
    service = ("users", "add", bot, "--service", "--role", "reader")
    alone = run(gate, *service)
    assert (alone.code, "needs a person" in alone.err) == (1, True)
    assert run(gate, "users", "add", hank, "--role", "reader").code == 0
    assert run(gate, *service, "--responsible", hank).code == 0
    assert f"service account of {hank}" in run(gate, "users", "list").out
    words = ("--label", "ci", "--scope", "git:read", "--server", "git", "--for", "90d")
    minted = run(gate, "keys", "mint", "--person", bot, *words, "--json").json()
    assert (minted["person"], minted["scopes"], minted["server"]) == (bot, ["git:read"], "git")

    handed = run(gate, "users", "suspend", hank, "--hand-to", "adam@example.com")
    assert handed.out.splitlines() == [
        f"{hank} is suspended.",
        f"Service account {bot}: adam@example.com answers for it now.",
    ]
    assert run(gate, "users", "reinstate", hank).code == 0
    assert run(gate, "users", "change", bot, "--responsible", hank).code == 0
    gone = run(gate, "users", "offboard", hank)
    assert gone.out.splitlines() == [
        f"{hank} is gone.",
        f"Service account {bot}: suspended.",
    ]
    assert f"service account of {hank}, who is not here" in run(gate, "users", "list").out
