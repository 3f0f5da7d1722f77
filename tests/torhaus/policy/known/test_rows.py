from torhaus.policy.known.rows import tool


def test_a_row_with_a_method_may_do_all_that_its_values_do() -> None:
    row = tool("", "labels", method=("method", {"create": "write", "delete": "delete"}))

    assert row.actions == {"write", "delete"}
    assert (row.method_arg, row.method_absent, row.source) == ("method", None, "table")


def test_a_plain_row_has_no_method() -> None:
    row = tool("admin delete", "projects", "project", tags="cost sensitive")

    assert row.actions == {"admin", "delete"}
    assert row.tags == {"cost", "sensitive"}
    assert row.method_arg is None
