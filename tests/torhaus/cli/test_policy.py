"""`torhaus policy test`."""

from pathlib import Path

import pytest

from tests.torhaus.cli.terminal import Said, configured, torhaus
from tests.torhaus.cli.test_explain import CONFIG

CASES = """
at: 2025-11-24T09:30
cases:
  - {user: alice@example.com, server: github, tool: list_issues,
     args: {owner: myorg, repo: api}, expect: allow, rule: "developer: github:read"}
  - {name: nobody deletes, user: bob@example.com, server: github, tool: delete_file,
     args: {owner: myorg, repo: api}, expect: deny, code: denied}
  - {user: bob@example.com, server: github, tool: merge_pull_request,
     args: {owner: myorg, repo: api}, expect: approval}
  - {user: bob@example.com, server: github, tool: get_me, at: "2025-11-22T12:00",
     expect: deny, code: outside_hours}
"""


def tried(at: Path, cases: str, *words: str) -> Said:
    configured(at, CONFIG)
    (at / "cases.yml").write_text(cases)
    return torhaus("policy", "test", "cases.yml", *words, at=at)


def test_all_as_expected_is_exit_code_0(tmp_path: Path) -> None:
    said = tried(tmp_path, CASES)

    assert (said.code, said.out.splitlines()[-1]) == (0, "4 cases, no failures."), said.err
    assert "ok  nobody deletes" in said.out


def test_one_surprise_is_exit_code_1_and_says_why(tmp_path: Path) -> None:
    said = tried(tmp_path, CASES.replace("expect: deny, code: denied", "expect: allow"))

    assert said.code == 1
    assert "FAIL  nobody deletes" in said.out
    assert "verdict: expected allow, got deny" in said.out
    assert said.out.splitlines()[-1] == "4 cases, 1 failure."


def test_rule_and_code_are_compared_too(tmp_path: Path) -> None:
    said = tried(tmp_path, CASES.replace("code: denied", "code: no_grant"), "--json")

    assert said.code == 1
    answer = said.json()
    assert (answer["passed"], answer["failed"]) == (3, 1)
    assert "code: expected no_grant, got denied" in answer["cases"][1]["wrong"]


@pytest.mark.parametrize(
    ("cases", "named"),
    [
        ("cases: []", "has no cases"),
        ("cases: [{user: a, server: b, tool: c}]", "expect"),
        ("cases: [{user: a, server: b, tool: c, expect: maybe}]", "'maybe'"),
        ("cases: [{user: a, server: b, tool: c, expect: deny, wat: 1}]", "wat"),
        ("cases: 7", "cases"),
        ("cases: [", "cases.yml"),
    ],
)
def test_a_file_of_cases_that_cannot_be_read_is_wrong_use(
    cases: str, named: str, tmp_path: Path
) -> None:
    said = tried(tmp_path, cases)

    assert said.code == 2
    assert named in said.err


def test_the_configuration_is_found_beside_the_cases(tmp_path: Path) -> None:
    below = tmp_path / "below"
    below.mkdir()
    configured(below, CONFIG)
    (below / "cases.yml").write_text(CASES)

    said = torhaus("policy", "test", "below/cases.yml", at=tmp_path)

    assert said.code == 0, said.err
