"""Names out and back."""

import pytest

from torhaus.gate.aggregate import names
from torhaus.model.views import EVERYTHING, Pick, View
from torhaus.policy.globs import compile_glob
from torhaus.policy.names import normal


@pytest.mark.parametrize(
    ("server", "tool"),
    [("github", "list_issues"), ("a", "__x"), ("a-b", "x__y__z"), ("a", "Größe"), ("a", "_")],
)
def test_a_tool_finds_its_server_again(server: str, tool: str) -> None:
    name = names.tool_out(EVERYTHING, server, tool)

    assert name == f"{server}__{tool}"
    assert names.tool_in(EVERYTHING, name) == (server, tool)


@pytest.mark.parametrize("name", ["", "x", "github_x", "__x", "github__", "__"])
def test_a_name_without_both_parts_is_nobodys(name: str) -> None:
    assert names.tool_in(EVERYTHING, name) is None


def test_a_renamed_tool_answers_to_its_new_name_only() -> None:
    view = View(name="v", renamed={("github", "get_issue"): "issue"})

    assert names.tool_out(view, "github", "get_issue") == "issue"
    assert names.tool_in(view, "issue") == ("github", "get_issue")
    assert names.tool_in(view, "github__get_issue") is None


@pytest.mark.parametrize(
    ("uri", "told"),
    [
        ("https://x/y?a+b", "docs+https://x/y?a+b"),
        ("file:///{path}", "docs+file:///{path}"),
        ("ui://board/main", "ui://docs/board/main"),
        ("ui://", "ui://docs/"),
        ("plain", "docs+plain"),
    ],
)
def test_an_address_finds_its_server_again(uri: str, told: str) -> None:
    assert names.uri_out("docs", uri) == told
    assert names.uri_in(told) == ("docs", uri)


@pytest.mark.parametrize(
    "uri", ["", "docs", "docs+", "+x", "ui://docs", "ui:///x", "docs+ui://board/main"]
)
def test_there_is_one_spelling_of_an_address_and_no_other(uri: str) -> None:
    assert names.uri_in(uri) is None


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("file:///docs/a", True),
        ("file:///docs/a/b", False),
        ("file:///docs/..", False),
        ("file:///docs/..%2fsecret", False),
        ("file:///docs/%2e%2e", False),
        ("file:///docs/x%2Fy", False),
        ("file:///docs/..\\secret", False),
        ("file:///other/a", False),
    ],
)
def test_an_address_that_leads_out_of_its_folder_is_not_in_it(uri: str, shown: bool) -> None:
    assert names.shown_at((compile_glob("file:///docs/*"),), uri) is shown
    assert names.shown_at(None, uri)


def test_an_alias_is_listed_and_both_names_are_understood():
    view = View(aliases={("github", "list_issues"): "issues"})

    assert names.tool_out(view, "github", "list_issues") == "issues"
    assert names.tool_in(view, "issues") == ("github", "list_issues")
    assert names.tool_in(view, "github__list_issues") == ("github", "list_issues")


def test_64_characters_are_those_of_prefix_and_name():
    assert not names.too_long("a" * 60, "mcp_")
    assert names.too_long("a" * 61, "mcp_")


def test_what_a_server_does_not_list_is_found_in_what_a_view_names():
    view = View(
        picks={
            "docs": Pick(tools=tuple(map(compile_glob, ("get_*", "put_*", "list_issues", "gone")))),
            "tea": Pick(tools=None),
        },
        renamed={("docs", "gone"): "x", ("docs", "list_issues"): "y", ("tea", "pour"): "z"},
        fixed={("docs", normal("listIssues")): {"a": 1}, ("docs", normal("drop_it")): {"a": 1}},
    )
    listed = ["list_issues", "get_a", "get_b"]

    assert names.absent(view, "docs", listed) == ["put_*", "gone", normal("drop_it")]
    assert names.absent(view, "tea", ["pour"]) == []
    assert names.absent(view, "else", listed) == []
    assert names.absent(EVERYTHING, "docs", listed) == []
