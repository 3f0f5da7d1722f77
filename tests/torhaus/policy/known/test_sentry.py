import pytest

from tests.torhaus.policy.known.evidence import differences
from tests.torhaus.policy.known.normative import normative
from torhaus.policy.known.sentry import TOOLS


def test_every_tool_is_what_the_classification_says() -> None:
    assert normative("sentry", TOOLS) == TOOLS


def test_every_argument_exists_in_the_server_and_every_status_is_known() -> None:
    assert list(differences(TOOLS, "sentry")) == []


@pytest.mark.parametrize("tool", sorted(TOOLS))
def test_a_tool_reads_its_one_project_argument_and_none_that_sentry_would_ignore(
    tool: str,
) -> None:
    named = [(target.args, target.either) for target in TOOLS[tool].targets]

    assert all(len(args) == 1 and either == () for args, either in named)
    assert len(named) == {"project_or_url": 2}.get(TOOLS[tool].scope, min(len(named), 1))


@pytest.mark.parametrize("tool", ["get_issue_details", "get_sentry_resource", "create_project"])
def test_issues_urls_and_new_projects_hide_their_project(tool: str) -> None:
    assert TOOLS[tool].blind == {"projects"}


def test_every_tool_has_its_region_pinned() -> None:
    assert {row.pinned for row in TOOLS.values()} == {
        (("regionUrl", r"^https://([a-z0-9-]+\.)*sentry\.io$"),)
    }
