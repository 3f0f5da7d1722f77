import re

import msgspec
import pytest

from tests.shared import SHARED
from tests.torhaus.policy.known.evidence import differences
from tests.torhaus.policy.known.normative import FILE, normative
from torhaus.model.servers import TargetArgs
from torhaus.policy.known.github import TOOLS

# Ids of things in any repository: github-mcp-server reads neither owner nor repo beside them.
ANYWHERE = {
    "add_sub_issue": "sub_issue_id",
    "sub_issue_write": "sub_issue_id",
    "discussion_comment_write": "commentNodeID",
    "pull_request_review_write": "threadId",
}


def test_every_tool_is_what_the_classification_says_to_the_last_argument() -> None:
    """And where the classification passes over an id, it is stricter."""
    said = normative("github", TOOLS)
    for name, argument in ANYWHERE.items():
        hidden = TOOLS[name].targets[-1]
        assert (hidden.args, hidden.missing) == ((argument,), "none")
        assert hidden.pattern == re.compile("(?!)")
        wider = (*said[name].targets, hidden)
        said[name] = msgspec.structs.replace(said[name], targets=wider)

    assert said == TOOLS


def test_every_argument_exists_in_the_server_and_every_method_is_known() -> None:
    assert list(differences(TOOLS, "github")) == []


@pytest.mark.skipif(not SHARED.is_dir(), reason="the classification is not at hand")
def test_the_classification_here_is_the_one_that_is_normative() -> None:
    assert FILE.read_text() == (SHARED / "policy" / "classification.yaml").read_text()


@pytest.mark.parametrize(
    ("tool", "args", "missing"),
    [
        ("issue_dependency_write", ("related_owner", "related_repo"), "primary"),
        ("projects_write", ("item_owner", "item_repo"), "none"),
        ("fork_repository", ("organization", "repo"), "unknown"),
        ("create_repository", ("organization", "name"), "unknown"),
    ],
)
def test_second_and_renamed_targets_are_seen(
    tool: str, args: tuple[str, str], missing: str
) -> None:
    assert TOOLS[tool].targets[-1] == TargetArgs(kind="repos", args=args, missing=missing)


@pytest.mark.parametrize(
    "tool",
    ["search_code", "search_issues", "search_commits", "search_pull_requests",
     "search_repositories", "get_gist", "dismiss_notification", "resolve_review_thread",
     "projects_write", "list_org_repository_security_advisories"],
)  # fmt: skip
def test_free_text_ids_and_whole_organisations_hide_their_repositories(tool: str) -> None:
    assert TOOLS[tool].blind == {"repos"}
