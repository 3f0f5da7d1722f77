"""`torhaus keys`, against a running gateway."""

from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.offices import office, run
from tests.torhaus.cli.terminal import KEY


@pytest.fixture(scope="module")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    with office(tmp_path_factory.mktemp("office")) as running:
        yield running


def test_a_key_is_made_used_and_revoked(gate: Gate) -> None:
    made = run(gate, "keys", "mint", "--label", "laptop", "--scope", "*:read", "--for", "90d")
    assert made.code == 0, made.err
    key, told = made.out.splitlines()
    assert key.startswith("thk_")
    assert "not shown again" in told
    listed = run(gate, "keys", "list", "--json").json()
    (found,) = [each for each in listed if each["label"] == "laptop"]
    assert found["scopes"] == ["*:read"]
    assert run(gate, "users", "list", key=key).code == 0
    assert "scopes" in run(gate, "users", "add", "x@example.com", key=key).err
    assert "laptop" in run(gate, "keys", "list").out

    ended = run(gate, "keys", "revoke", found["id"])
    assert ended.out == f"Key {found['id']} of adam@example.com has ended.\n"
    assert run(gate, "users", "list", key=key).code == 1
    assert run(gate, "keys", "revoke", found["id"]).err == "this key has ended already\n"


def test_keys_and_sessions_of_others_are_not_shown(gate: Gate) -> None:
    run(gate, "keys", "mint", "--label", "own")

    assert run(gate, "keys", "list", "--person", "adam@example.com", key=KEY).out == (
        "No keys in the database.\n"
    )
    assert run(gate, "keys", "sessions").out == "No sessions.\n"
    assert run(gate, "keys", "end", "adm_none").err == "there is no such session\n"
