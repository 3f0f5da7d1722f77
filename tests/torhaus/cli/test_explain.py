"""`torhaus explain`."""

from pathlib import Path

import pytest

from tests.shared import SHARED
from tests.torhaus.cli.terminal import Said, configured, torhaus

CONFIG = """
mcpServers:
  github: {url: "http://127.0.0.1:9/mcp", auth: {type: bearer, token: "${GITHUB_TOKEN}"}}
server: {timezone: Europe/Berlin}
roles:
  developer: {permissions: [github:read]}
  lead: {permissions: ["github:*"], restrictions: [no_delete]}
users:
  - {email: alice@example.com, role: developer, api_keys: ["${ALICE_KEY}"]}
  - {email: bob@example.com, role: lead, api_keys: ["${BOB_KEY}"]}
policies:
  - name: Office hours
    applies_to: [{role: lead}]
    time: {weekdays: true, hours: "08:00-18:00", timezone: Europe/Berlin}
    action: deny_outside_hours
  - name: Merging needs a second pair of eyes
    applies_to: [{role: lead}, {tools: [merge_pull_request]}]
    action: require_approval
"""
REPO = '{"owner":"myorg","repo":"api"}'
MONDAY = "2025-11-24T09:30"


def explained(
    at: Path, tool: str, *more: str, user: str = "alice@example.com", args: str = REPO
) -> Said:
    configured(at, CONFIG)
    words = ("--user", user, "--server", "github", "--tool", tool, "--args", args)
    return torhaus("explain", *words, *more, at=at)


def test_allowed_is_exit_code_0_and_needs_no_secrets(tmp_path: Path) -> None:
    said = explained(tmp_path, "list_issues")

    assert said.code == 0
    assert said.out.startswith("allow  developer: github:read")
    assert "GITHUB_TOKEN" in said.err


def test_denied_is_exit_code_1_and_says_what_would_help(tmp_path: Path) -> None:
    said = explained(tmp_path, "create_issue", "--at", MONDAY)

    assert said.code == 1
    assert "(no_grant)" in said.out
    assert "It would be allowed with the role lead." in said.out


def test_the_moment_that_would_help_is_found_to_the_minute(tmp_path: Path) -> None:
    said = explained(tmp_path, "list_issues", "--at", "2025-11-22T12:00", user="bob@example.com")

    assert said.code == 1
    assert "(outside_hours)" in said.out
    assert "It would be allowed from Monday, 2025-11-24 at 08:00 CET." in said.out


def test_approval_is_neither_yes_nor_denied(tmp_path: Path) -> None:
    words = ("--at", MONDAY, "--json")
    said = explained(tmp_path, "merge_pull_request", *words, user="bob@example.com")

    assert said.code == 1
    assert said.json()["verdict"] == "approval"
    assert said.json()["policy_applied"] == "Merging needs a second pair of eyes"


def test_json_is_one_object_of_six_members(tmp_path: Path) -> None:
    said = explained(tmp_path, "delete_file", "--json", "--at", MONDAY, user="bob@example.com")

    answer = said.json()
    assert list(answer) == ["verdict", "policy_applied", "code", "reason", "trace", "place"]
    assert (answer["verdict"], answer["policy_applied"]) == ("deny", "lead: no_delete")
    assert answer["trace"][-1]["step"] == "verdict"


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("--args", "[]"), "--args"),
        (("--args", '{"a":1,"a":2}'), "--args"),
        (("--at", "soon"), "--at"),
        (("--hints", "7"), "--hints"),
    ],
)
def test_wrong_use_is_exit_code_2(words: tuple[str, ...], named: str, tmp_path: Path) -> None:
    said = explained(tmp_path, "list_issues", *words)

    assert said.code == 2
    assert named in said.err


def test_a_broken_configuration_is_exit_code_1_with_its_line(tmp_path: Path) -> None:
    configured(tmp_path, "roles: 7\n")
    words = ("--user", "a@b.c", "--server", "s", "--tool", "t")

    said = torhaus("explain", *words, at=tmp_path)

    assert said.code == 1
    assert "torhaus.yml:1: error: roles" in said.err


def test_the_product_texts_rules_are_explained_without_servers(tmp_path: Path) -> None:
    seed = SHARED / "policy" / "seed_access.yaml"
    if not seed.exists():
        pytest.skip(f"no {seed}; set TORHAUS_SHARED")
    (tmp_path / "torhaus.yml").write_text(seed.read_text())
    verdicts = []
    for user, server, tool, at in (
        ("alice@company.local", "github", "list_issues", "2025-11-24T09:00"),
        ("alice@company.local", "github", "delete_file", "2025-11-24T09:00"),
        ("bob@company.local", "firebase:production", "firestore_get_documents", "2025-11-24T09:00"),
        ("freelancer@extern.example", "github", "list_issues", "2026-01-01T00:00"),
        ("temp@extern.example", "sentry", "whoami", "2025-10-15T12:00"),
        ("temp@extern.example", "sentry", "whoami", "2026-01-15T12:00"),
    ):
        words = ("--user", user, "--server", server, "--tool", tool, "--at", at, "--args", REPO)
        said = torhaus("explain", *words, "--json", at=tmp_path)
        verdicts.append(said.json()["verdict"])
        assert "Not configured" in said.err

    assert verdicts == ["allow", "deny", "allow", "deny", "allow", "deny"]
