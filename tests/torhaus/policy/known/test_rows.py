from torhaus.policy.known.rows import tool
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
        method=Method(arg="how", map=values, absent="write"),
        owner_arg="org",
    )
    assert tool("", "*", dispatch=("name", "arguments")) == ToolSpec(
        dispatch=Dispatch(name_arg="name", args_arg="arguments")
    )
