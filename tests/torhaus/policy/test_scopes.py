"""A credential's scopes only take away."""

import pytest

from tests.torhaus.policy.people import call
from torhaus.model.access import Access, Permission
from torhaus.model.people import Phase, Principal
from torhaus.model.verdict import Allow, Deny, Step
from torhaus.policy.decide import barred, decide
from torhaus.policy.scopes import permissions, scoped, within
from torhaus.policy.visible import listed, may_use, visible

NOW = 1_790_000_000.0
EVERYTHING = Permission("*", "*", "*", "admin: *")
ADMIN = Principal(
    id="dana@example.org",
    email="dana@example.org",
    phases=(Phase(roles=("admin",), access={"*": Access(allows=(EVERYTHING,))}),),
)
READER = Principal(
    id="rob@example.org",
    email="rob@example.org",
    phases=(
        Phase(
            roles=("reader",),
            access={"github": Access(allows=(Permission("github", "*", "read", "reader: read"),))},
        ),
    ),
)


def held(*scopes: str, who: Principal = ADMIN) -> Principal:
    return scoped(who, permissions(scopes))


@pytest.mark.parametrize(
    ("scopes", "tool", "allowed"),
    [
        (("github:read",), "list_issues", True),
        (("github:read",), "create_issue", False),
        (("github:issues:write",), "create_issue", True),
        (("github:issues:write",), "create_or_update_file", False),
        (("github:*",), "create_issue", True),
        (("*",), "create_issue", True),
        (("*:read",), "list_issues", True),
        (("sentry:*",), "list_issues", False),
        (("sentry:*", "github:read"), "list_issues", True),
    ],
)
def test_each_action_needs_a_scope_besides_its_allow(
    scopes: tuple[str, ...], tool: str, allowed: bool
) -> None:
    verdict = decide(call(tool, by=held(*scopes)), NOW)

    assert isinstance(verdict, Allow) is allowed
    if isinstance(verdict, Deny):
        assert (verdict.rule, verdict.code) == ("scopes", "outside_scopes")
        assert scopes[0].split(":")[0] in verdict.reason


def test_scopes_give_nothing() -> None:
    verdict = decide(call("create_issue", by=held("*", who=READER)), NOW)

    assert isinstance(verdict, Deny)
    assert verdict.code == "no_grant"


def test_without_scopes_everything_is_as_before() -> None:
    assert decide(call("create_issue", by=ADMIN), NOW) == decide(
        call("create_issue", by=held("*")), NOW
    )


def test_the_trace_shows_the_scope() -> None:
    trace: list[Step] = []
    decide(call("list_issues", by=held("github:read")), NOW, trace)

    assert ("scopes", "pass") in [(step.step, step.result) for step in trace]


def test_lists_show_what_the_scopes_leave() -> None:
    server = call("list_issues").server
    access = held("github:read").phase(NOW).on("github")

    assert visible(access, server, "list_issues", {})
    assert not visible(access, server, "create_issue", {})
    assert listed(access, server, "resources/list")
    assert may_use(held("github:read"), server, NOW)


def test_a_server_outside_the_scopes_is_none_of_his() -> None:
    server = call("list_issues").server
    elsewhere = held("sentry:read")

    assert not may_use(elsewhere, server, NOW)
    denied = barred(elsewhere, server, "127.0.0.1", "", NOW)
    assert denied is not None
    assert denied.code == "outside_scopes"


def test_a_scope_of_a_server_without_an_entry_of_its_own_counts_there() -> None:
    access = held("jira:read").phase(NOW).on("jira")

    assert access.allows == (EVERYTHING,)
    assert [each.server for each in access.scopes or ()] == ["jira"]
    assert held("jira:read").phase(NOW).on("other").scopes == ()


def test_a_scope_that_is_no_permission_is_a_sentence() -> None:
    with pytest.raises(ValueError, match="is not a permission"):
        permissions(("mcp",))


def test_a_right_is_within_scopes_that_hold_it() -> None:
    right = Permission("torhaus", "people", "admin", "")

    assert within(right, None)
    assert within(right, permissions(("*",)))
    assert not within(right, permissions(("github:*",)))
    assert not within(right, ())
