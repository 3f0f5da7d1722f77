"""Where rules stand in the file."""

from pathlib import Path

import pytest

from torhaus.config.load import load_text
from torhaus.config.places import NOWHERE, Places

TEXT = """\
mcpServers:
  github: {url: "http://127.0.0.1:9/mcp"}
roles:
  developer:
    permissions:
      - github:read
      - github:write
    restrictions: [no_delete]
accessControl:
  - role: lead
    allow: ["github.*"]
    repos: ["myorg/*"]
groups:
  backend: {roles: [developer], members: [alice@example.com]}
users:
  - {email: alice@example.com, role: lead}
permissions:
  github:
    alice@example.com:
      allow: [delete:repos]
policies:
  - name: Office hours
    time: {weekdays: true}
    action: deny_outside_hours
"""


@pytest.fixture
def places(tmp_path: Path) -> Places:
    return load_text(TEXT, "torhaus.yml", {}, tmp_path).blueprint.places


@pytest.mark.parametrize(
    ("rule", "line"),
    [
        ("developer: github:read", 6),
        ("developer: github:write", 7),
        ("developer: no_delete", 8),
        ("developer: something else", 4),
        ("lead: github.*", 11),
        ("lead: repos", 10),
        ("github block of alice@example.com: delete:repos", 20),
        ("github block of alice@example.com: repos", 19),
        ("Office hours", 22),
    ],
)
def test_a_rule_has_a_line(rule: str, line: int, places: Places) -> None:
    assert places.rule(rule) == f"torhaus.yml:{line}"


def test_what_is_no_rule_of_the_file_has_no_place(places: Places) -> None:
    assert places.rule("default_deny") == ""
    assert places.rule("scopes") == ""
    assert NOWHERE.rule("developer: github:read") == ""


def test_users_and_groups_have_lines(places: Places) -> None:
    assert places.every() == {
        "user alice@example.com": "torhaus.yml:16",
        "group backend": "torhaus.yml:14",
    }
