"""`torhaus access`, against a running gateway."""

from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import CONFIG, KEY, Said, Warm, configured, torhaus

ADMIN = "adam-secret-key-jkl012"
MORE = f"""
  - {{email: adam@example.com, role: admin, api_keys: [{ADMIN}]}}
roles:
  admin: {{permissions: ["*"]}}
temporary_access:
  - {{user: olga@example.com, role: admin, valid_from: 2020-01-01, valid_until: 2020-01-02}}
"""


@pytest.fixture(scope="module")
def open_gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    home = tmp_path_factory.mktemp("open")
    configured(home, CONFIG.rstrip() + MORE)
    with Warm("serve", "--port", "0", at=home) as running:
        yield Gate(running, home)
        assert running.stop() == 0, running.err


def run(gate: Gate, *words: str, key: str = ADMIN) -> Said:
    env = {"TORHAUS_KEY": key, "TORHAUS_URL": gate.url}
    return torhaus("access", *words, at=gate.home, env=env)


def test_a_role_is_asked_for_granted_listed_and_taken_back(open_gate: Gate) -> None:
    said = run(open_gate, "request", "--role", "owner", "--for", "90m", "--reason", "x", key=KEY)
    assert said.code == 0, said.err
    assert said.out.startswith("Asked for owner: adm_")
    before = run(open_gate, "list", "--json").json()
    id = before["requests"][0]["id"]

    own = run(open_gate, "approve", id, key=KEY)
    done = run(open_gate, "approve", id, "--comment", "go")
    listed = run(open_gate, "list")
    grant = run(open_gate, "list", "--json").json()["grants"][-1]["id"]
    ended = run(open_gate, "revoke", grant)
    again = run(open_gate, "revoke", grant)

    assert before["requests"][0]["seconds"] == 5400
    assert (own.code, own.out) == (1, "")
    assert "nobody decides about his own access" in own.err
    assert (done.code, done.out) == (0, "owner for alice@example.com: approved.\n")
    assert f"{id}  approved  alice@example.com  owner  90m" in listed.out
    assert f"{grant}  in force  alice@example.com  owner  until" in listed.out
    assert "olga@example.com" in listed.out
    assert "in the file" in listed.out
    assert (ended.code, ended.out) == (0, "owner of alice@example.com has ended.\n")
    assert (again.code, again.err) == (1, "this grant has ended already\n")


def test_a_request_is_denied(open_gate: Gate) -> None:
    asked = run(open_gate, "request", "--role", "admin", "--json", key=KEY).json()

    said = run(open_gate, "deny", asked["id"], "--json")

    assert asked["seconds"] == 4 * 3600
    assert said.json()["state"] == "denied"


WRONG = [
    (("request", "--role", "owner", "--for", "soon"), 2, "this is not a duration"),
    (("request",), 2, "--role"),
    (("request", "--role", "king"), 1, "there is no role 'king': one of: admin, administrator, "),
    (("approve", "unknown", "--until", "soon"), 2, "--until is a time such as"),
    (("approve", "unknown", "--until", "2026-01-31T18:00"), 1, "no such request for access"),
    (("revoke", "unknown"), 1, "no such grant"),
]


@pytest.mark.parametrize(("words", "code", "sentence"), WRONG)
def test_what_is_wrong_is_told(
    words: tuple[str, ...], code: int, sentence: str, open_gate: Gate
) -> None:
    said = run(open_gate, *words, key=KEY)

    assert (said.code, said.out) == (code, "")
    assert sentence in said.err
