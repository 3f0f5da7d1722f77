from tests.torhaus.policy.people import alice, asked, call
from torhaus.model.access import Access, Permission
from torhaus.model.people import Phase, Principal
from torhaus.policy.refusals import bad_argument, inactive, missing, no_access

NOW = 1_700_000_000.0


def test_a_missing_action_is_asked_for_as_narrowly_as_it_can_be() -> None:
    narrow = missing(asked(call("delete_file")), "delete")
    wide = missing(asked(call("delete_it")), "delete")

    assert narrow.reason.startswith("`delete_file` on github is a delete action on contents; ")
    assert narrow.reason.endswith("Ask an administrator for `github:contents:delete`.")
    assert wide.reason.endswith("Ask an administrator for `github:delete`.")


def test_an_unknown_tool_asks_for_a_class_or_everything() -> None:
    denied = missing(asked(call("frob")), "unknown")

    assert "classify it or for `github:*`" in denied.reason


def test_someone_without_any_permission_is_told_so() -> None:
    denied = no_access(asked(call("list_issues", by=alice())))

    assert denied.reason.startswith("alice@example.org has no permission on github.")


def test_many_rules_are_counted_and_others_than_roles_are_named_whole() -> None:
    held = tuple(Permission("github", "*", "read", f"block {n}: read") for n in range(8))
    access = {"github": Access(allows=held)}
    by = Principal(id="b", email="bob@example.org", phases=(Phase(access=access),))

    denied = missing(asked(call("x", by=by)), "write")

    assert "bob@example.org's rule allows block 0: read, block 1: read" in denied.reason
    assert "block 5" not in denied.reason
    assert "and 3 rules more" in denied.reason


def test_a_malformed_argument_has_its_own_code() -> None:
    assert bad_argument("`x` needs `method`").code == "bad_argument"


def test_access_that_begins_later_says_when() -> None:
    later = (Phase(ends=NOW + 60), Phase(begins=NOW + 60, roles=("developer",)))
    by = Principal(id="b", email="bob@example.org", phases=later)

    denied = inactive(call("list_issues", by=by), NOW)

    assert denied.code == "no_active_role"
    assert denied.reason == "bob@example.org's access begins on 2023-11-14 at 22:14 UTC."
