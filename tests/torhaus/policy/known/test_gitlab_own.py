import pytest

from tests.torhaus.policy.known.evidence import differences, offered
from torhaus.policy.known.gitlab_own import TOOLS


def test_every_tool_and_every_argument_is_as_documented() -> None:
    assert list(differences(TOOLS, "gitlab_own")) == []


def test_a_url_or_a_group_in_place_of_a_project_is_never_passed_over() -> None:
    for name, arguments in offered("gitlab_own").items():
        row = TOOLS[name]
        for argument in {"url", "group_id"} & set(arguments or {}):
            hidden = {each.args for each in row.targets if each.pattern and not each.pattern.groups}
            assert row.blind == {"projects"} or (argument,) in hidden, name


@pytest.mark.parametrize(
    ("tool", "actions"),
    [
        ("add_commit", {"write", "delete"}),
        ("manage_pipeline", {"write", "delete"}),
        ("save_pipeline", {"execute"}),
        ("save_merge_request_review", {"write", "execute"}),
    ],
)
def test_tools_that_do_several_things_need_a_right_for_each(tool: str, actions: set[str]) -> None:
    assert TOOLS[tool].actions == actions
