import re

import pytest

from tests.torhaus.policy.known.evidence import differences
from torhaus.policy.known.build import table
from torhaus.policy.known.jira import ISSUE_KEY, PROJECT_KEY, ROWS

TOOLS = table(ROWS)


def test_every_argument_is_the_servers_own() -> None:
    known = [each for each in differences(TOOLS, "atlassian") if "confluence_" not in each]

    assert known == []


@pytest.mark.parametrize(
    ("key", "project"), [("ABC-1", "ABC"), ("a_b2-99", "a_b2"), ("ABC", None), ("10023", None),
                         ("ABC-1,XYZ-2", None), ("ABC-1 ", None), ("-1", None), ("ABC-", None)],
)  # fmt: skip
def test_an_issue_s_key_begins_with_its_project(key: str, project: str | None) -> None:
    found = re.fullmatch(ISSUE_KEY, key)

    assert (found and found[1]) == project


@pytest.mark.parametrize("key", ['ABC" OR project = "SECRET', "10000", "", "ABC DEF", "ABC-1"])
def test_a_project_s_key_is_nothing_but_a_key(key: str) -> None:
    assert re.fullmatch(PROJECT_KEY, key) is None


def test_further_fields_of_a_new_issue_may_say_another_project() -> None:
    named, further = TOOLS["jira_create_issue"].targets

    assert named.args == ("project_key",)
    assert (further.args, further.missing) == (("additional_fields",), "none")
    assert further.pattern is not None
    assert further.pattern.fullmatch("{}") is None


@pytest.mark.parametrize("tool", ["jira_search", "jira_batch_create_issues", "jira_create_sprint"])
def test_queries_lists_in_texts_and_ids_hide_their_project(tool: str) -> None:
    assert TOOLS[tool].blind == {"projects"}
