from tests.torhaus.policy.people import alice, call
from torhaus.model.people import Permission, Principal
from torhaus.policy.refusals import bad_argument, missing, no_access, unclassified

DELETE = frozenset({"delete"})


def test_a_missing_action_is_asked_for_as_narrowly_as_it_can_be() -> None:
    narrow = missing(call("delete_file"), "delete_file", "delete", "contents", DELETE)
    wide = missing(call("delete_it"), "delete_it", "delete", "", DELETE)

    assert narrow.reason.startswith("`delete_file` on github is a delete action on contents; ")
    assert narrow.reason.endswith("Ask an administrator for `github:contents:delete`.")
    assert wide.reason.endswith("Ask an administrator for `github:delete`.")


def test_an_unknown_tool_asks_for_a_class_or_everything() -> None:
    denied = unclassified(call("frob"), "frob", frozenset({"unknown"}))

    assert "classify it or for `github:*`" in denied.reason


def test_someone_without_any_permission_is_told_so() -> None:
    denied = no_access(call("list_issues", by=alice()))

    assert denied.reason.startswith("alice@example.org has no permission on github.")


def test_many_rules_are_counted_and_others_than_roles_are_named_whole() -> None:
    held = tuple(Permission("github", "*", "read", f"block {n}: read") for n in range(8))
    by = Principal(id="b", email="bob@example.org", access={"github": held})

    denied = missing(call("x", by=by), "x", "write", "", frozenset({"write"}))

    assert "bob@example.org's rule allows block 0: read, block 1: read" in denied.reason
    assert "block 5" not in denied.reason
    assert "and 3 rules more" in denied.reason


def test_a_malformed_argument_has_its_own_code() -> None:
    assert bad_argument("`x` needs `method`").code == "bad_argument"
