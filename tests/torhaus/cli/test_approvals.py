"""`torhaus approvals`, against a running gateway."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import CONFIG, KEY, Said, Warm, configured, torhaus

POLICY = """
roles:
  lead: {permissions: ["*"]}
policies:
  - name: four eyes
    applies_to: [{actions: [write]}]
    action: require_approval
    approvers: [lead]
approvals: {hold: 0s}
"""
LEAD = "lara-secret-key-ghi789"
OWNER = "olga-secret-key-def456"


@pytest.fixture(scope="module")
def careful(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """Olga may commit when a lead agrees; Lara leads."""
    home = tmp_path_factory.mktemp("careful")
    lara = f"  - {{email: lara@example.com, role: lead, api_keys: [{LEAD}]}}\n"
    configured(home, CONFIG + lara + POLICY)
    with Warm("serve", "--port", "0", at=home) as running:
        yield Gate(running, home)
        assert running.stop() == 0, running.err


def run(gate: Gate, *words: str, key: str = LEAD) -> Said:
    env = {"TORHAUS_KEY": key, "TORHAUS_URL": gate.url}
    return torhaus(*words, at=gate.home, env=env)


def commit(gate: Gate, message: str) -> Said:
    args = json.dumps({"repo_path": ".", "message": message})
    env = {"TORHAUS_KEY": OWNER}
    return torhaus(
        "call", "git", "git_commit", "--args", args, "--url", gate.url, at=gate.home, env=env
    )


def test_a_call_waits_is_looked_at_and_approved(careful: Gate) -> None:
    held = commit(careful, "one")
    assert held.code == 1

    listed = run(careful, "approvals", "list")
    (found,) = run(careful, "approvals", "list", "--state", "pending", "--json").json()
    shown = run(careful, "approvals", "show", found["id"])
    done = run(careful, "approvals", "approve", found["id"], "--comment", "fine")

    assert listed.code == 0
    assert f"{found['id']}  pending  git.git_commit  olga@example.com" in listed.out
    assert "1 for you" in listed.out
    assert '"message": "one"' in shown.out
    assert "torhaus approvals approve|deny" in shown.out
    assert (done.code, done.out) == (0, "git.git_commit for olga@example.com: approved.\n")
    assert commit(careful, "one").code == 0


def test_no_is_exit_code_1_with_a_sentence(careful: Gate) -> None:
    commit(careful, "two")
    (found,) = run(careful, "approvals", "list", "--state", "pending", "--json").json()

    own = run(careful, "approvals", "approve", found["id"], key=OWNER)
    stranger = run(careful, "approvals", "show", found["id"], key=KEY)
    denied = run(careful, "approvals", "deny", found["id"], "--json")
    again = run(careful, "approvals", "cancel", found["id"])

    assert (own.code, own.out) == (1, "")
    assert "nobody approves his own call" in own.err
    assert (stranger.code, stranger.err) == (1, "there is no such request that you may see\n")
    assert denied.json()["state"] == "denied"
    assert (again.code, again.err) == (1, "this request is denied by lara@example.com already\n")


def test_wrong_use_is_exit_code_2(careful: Gate) -> None:
    said = run(careful, "approvals", "list", "--state", "open")

    assert said.code == 2
    assert "--state is one of pending, approved" in said.err


def test_an_empty_list_says_so(careful: Gate) -> None:
    said = run(careful, "approvals", "list", key=KEY)

    assert (said.code, said.out) == (0, "No requests for approval.\n")


def test_where_nothing_answers_it_says_so(tmp_path: Path) -> None:
    env = {"TORHAUS_URL": "http://127.0.0.1:1"}

    said = torhaus("approvals", "list", at=tmp_path, env=env)

    assert (said.code, said.out) == (1, "")
    assert said.err == "nothing answers at http://127.0.0.1:1: Connection refused\n"
