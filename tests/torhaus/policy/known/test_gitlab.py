import pytest

from tests.torhaus.policy.known.evidence import differences, offered
from torhaus.policy.known.gitlab import TOOLS

GROUP_WIDE = [name for name in TOOLS if "_group_" in name]


def test_every_tool_and_every_argument_is_the_servers_own() -> None:
    assert list(differences(TOOLS, "gitlab_zereight", "gitlab_reference")) == []


def test_what_names_a_project_is_read_unless_a_group_hides_it() -> None:
    for name, arguments in offered("gitlab_zereight").items():
        if "project_id" in (arguments or {}) and name != "list_todos":
            assert any("project_id" in each.args for each in TOOLS[name].targets), name


@pytest.mark.parametrize("tool", GROUP_WIDE)
def test_what_concerns_a_group_may_be_about_any_project(tool: str) -> None:
    assert TOOLS[tool].blind == {"projects"}


@pytest.mark.parametrize(
    ("tool", "argument"),
    [
        ("create_merge_request", "target_project_id"),
        ("create_issue_link", "target_project_id"),
        ("move_work_item", "target_project_id"),
        ("update_work_item", "parent_project_id"),
        ("update_work_item", "children_to_add"),
        ("create_webhook", "group_id"),
    ],
)
def test_second_projects_are_seen(tool: str, argument: str) -> None:
    assert (argument,) in [each.args for each in TOOLS[tool].targets]


@pytest.mark.parametrize("name", ["4711", "group%2Fapi", "group:12", "api", "group/../secret"])
def test_numbers_and_escapes_name_no_project(name: str) -> None:
    pattern = TOOLS["get_project"].targets[0].pattern

    assert pattern is not None
    assert pattern.fullmatch(name) is None
    assert pattern.fullmatch("group/sub/api") is not None


def test_a_commit_of_files_may_delete_some() -> None:
    assert TOOLS["push_files"].actions == {"write", "delete"}


def test_graphql_needs_every_right_there_is() -> None:
    assert TOOLS["execute_graphql"].actions == {"read", "write", "delete", "admin", "execute"}
