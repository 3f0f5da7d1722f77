import pytest

from torhaus.policy.known.rows import either_tables, hidden, tool, tools
from torhaus.policy.known.spec import Dispatch, Method, ToolSpec


def test_a_row_says_in_columns_what_a_file_says_in_words() -> None:
    assert tool("admin delete", "projects", "project", tags="cost sensitive") == ToolSpec(
        action="admin",
        also=("delete",),
        resource="projects",
        scope="project",
        tags=("cost", "sensitive"),
    )


def test_a_row_may_have_a_method_a_dispatch_and_other_words() -> None:
    values = {"create": "write"}

    assert tool("", "labels", method=("how", values), absent="write", owner_arg="org") == ToolSpec(
        resource="labels",
        scope="none",
        method=Method(arg="how", map=values, absent="write"),
        owner_arg="org",
    )
    assert tool("", "*", dispatch=("name", "arguments")) == ToolSpec(
        scope="none", dispatch=Dispatch(name_arg="name", args_arg="arguments")
    )


def test_several_tools_may_share_a_row() -> None:
    row = tool("read", "issues")

    assert tools("get_issue list_issues", "read", "issues") == {
        "get_issue": row,
        "list_issues": row,
    }


def test_products_of_one_name_share_a_table_unless_they_disagree() -> None:
    one, other = {"a": tool("read", "x")}, {"a": tool("read", "x"), "b": tool("write", "x")}

    assert either_tables(one, other) == other
    with pytest.raises(ValueError, match="a does one thing in one product and another"):
        either_tables(one, {"a": tool("write", "x")})


def test_hidden_arguments_are_unknown_targets_where_they_are_given() -> None:
    (target,) = hidden("projects", "url")

    assert (target.kind, target.args, target.missing) == ("projects", ("url",), "none")
    assert (target.pattern, target.many) == ("(?!)", True)
