from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torhaus.policy.people import ACME, SENTRY, alice, call, server
from torhaus.model.access import (
    Access,
    Bound,
    Effect,
    Origin,
    Permission,
    Policy,
    TagDeny,
)
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import ToolClass
from torhaus.model.verdict import Allow, Deny
from torhaus.policy.conditions import compile_condition
from torhaus.policy.decide import decide
from torhaus.policy.globs import compile_glob
from torhaus.policy.permission import ACTIONS
from torhaus.policy.tables import TABLES
from torhaus.policy.visible import visible

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("permissions", "tool", "arguments", "rule"),
    [
        (["github.read"], "list_issues", {}, "developer: github.read"),
        (["github.read"], "create_issue", {}, None),
        (["github:write"], "list_issues", {}, None),
        (["github:write"], "delete_file", {}, None),
        (["github:issues:write"], "create_issue", {}, "developer: github:issues:write"),
        (
            ["github:issues:write"],
            "label_write",
            {"method": "create"},
            "developer: github:issues:write",
        ),
        (["github:issues:write"], "label_write", {"method": "delete"}, None),
        (["github:labels:write"], "create_issue", {}, None),
        (["github:issues:write"], "create_pull_request", {}, None),
        (["github:issues:*"], "delete_file", {}, None),
        (["github:*"], "delete_repository", {}, "developer: github:*"),
        (["*"], "delete_repository", {}, "developer: *"),
        (["github:*"], "frobnicate", {}, "developer: github:*"),
        (["*"], "frobnicate", {}, "developer: *"),
        (["github:issues:*", "github:read", "github:write"], "frobnicate", {}, None),
        (["github.read"], "get_widget", {}, "developer: github.read"),
        (["github:issues:read"], "get_widget", {}, None),
        (["github.read", "github.delete"], "remove_sub_issue", {}, "developer: github.delete"),
    ],
)
def test_a_tool_call_needs_a_permission_for_what_it_does(
    permissions: list[str], tool: str, arguments: dict[str, Any], rule: str | None
) -> None:
    verdict = decide(call(tool, arguments, by=alice(*permissions)), NOW)

    if rule is None:
        assert isinstance(verdict, Deny)
        assert (verdict.rule, verdict.code) == ("default_deny", "no_grant")
    else:
        assert isinstance(verdict, Allow)
        assert verdict.rule == rule


def test_every_action_needs_its_own_permission() -> None:
    tool = "remove_team_from_project"
    one = alice("sentry:admin", on="sentry")
    both = alice("sentry:projects:admin", "sentry:delete", on="sentry")

    refused = decide(call(tool, by=one, at=SENTRY), NOW)
    allowed = decide(call(tool, by=both, at=SENTRY), NOW)

    assert isinstance(refused, Deny)
    assert "`sentry:projects:delete`" in refused.reason
    assert isinstance(allowed, Allow)
    assert allowed.rule == "developer: sentry:projects:admin, developer: sentry:delete"
    assert allowed.actions == {"admin", "delete"}
    assert allowed.reason == f"{allowed.rule} allows admin and delete"


# The order of a set changes with every process; of eight pairs one would come out wrong.
PAIRS = ("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "abcdefgh", "ijklmnop")


@pytest.mark.parametrize("letters", PAIRS)
def test_permissions_are_named_in_the_order_of_the_actions(letters: str) -> None:
    row = ToolClass(actions=frozenset(letters), type="things")
    house = server("acme", classes={"x": row})
    held = tuple(Permission("acme", "*", letter, letter.upper()) for letter in letters)
    by, short = alice(on="acme", allows=held), alice("acme:read", on="acme")

    allowed, refused = (decide(call("x", by=who, at=house), NOW) for who in (by, short))

    assert allowed.rule == ", ".join(letters.upper())
    assert f" {letters[0]} action on things" in refused.reason


def test_a_request_that_is_open_goes_by_the_first_permission() -> None:
    by = alice("github:read", "github:write")

    assert decide(call("tools/list", by=by, method="tools/list"), NOW) == Allow(
        "developer: github:read", "developer: github:read opens github"
    )


def test_what_is_malformed_is_said() -> None:
    row = ToolClass(actions=frozenset(), type="issues")
    empty = server("acme", classes={"x": row})

    unclear = decide(call("label_write", {"method": 7}, by=alice("*")), NOW)
    bare = decide(call("x", by=alice("*", on="acme"), at=empty), NOW)

    assert unclear.reason.startswith("`label_write` needs `method` spelled as one of ")
    assert bare.reason.startswith("the class of 'x' names no action. ")


def test_a_refusal_says_what_was_asked_what_is_held_and_what_to_ask_for() -> None:
    verdict = decide(call("create_issue"), NOW)

    assert verdict == Deny(
        "default_deny",
        "no_grant",
        "`create_issue` on github is a write on issues; alice@example.org's role developer allows "
        "github.read. Ask an administrator for `github:issues:write`.",
        frozenset({"write"}),
    )


def test_access_ends_to_the_second() -> None:
    by = alice("github.read", expires=NOW)

    before, after = (decide(call("list_issues", by=by), t) for t in (NOW - 0.001, NOW))

    assert isinstance(before, Allow)
    assert isinstance(after, Deny)
    assert after.code == "access_expired"
    assert "2023-11-14 at 22:13 UTC" in after.reason


def test_nothing_is_allowed_where_nothing_is_held() -> None:
    for method in ("initialize", "tools/list", "tools/call", "ping", "acme/extension"):
        verdict = decide(call("list_issues", by=alice(), method=method), NOW)

        assert isinstance(verdict, Deny)
        assert verdict.code == "no_grant"


def test_a_permission_on_every_server_counts_on_each() -> None:
    verdict = decide(call("get_thing", by=alice("*:read", on="*"), at=ACME), NOW)

    assert isinstance(verdict, Allow)


def test_malformed_deciding_arguments_are_refused_even_to_an_administrator() -> None:
    verdict = decide(call("label_write", {"method": 7}, by=alice("*")), NOW)

    assert isinstance(verdict, Deny)
    assert verdict.code == "bad_argument"


def test_a_class_without_actions_allows_nothing() -> None:
    house = server("acme", classes={"x": ToolClass(actions=frozenset(), type="issues")})

    assert isinstance(decide(call("x", by=alice("*", on="acme"), at=house), NOW), Deny)


@pytest.mark.parametrize(
    ("method", "params", "enough", "short"),
    [
        ("initialize", {}, "github:issues:read", None),
        ("server/discover", {}, "github:issues:read", None),
        ("tools/list", {}, "github:issues:read", None),
        ("notifications/cancelled", {}, "github:issues:read", None),
        ("logging/setLevel", {}, "github:issues:read", None),
        ("subscriptions/listen", {}, "github:issues:read", None),
        ("tasks/cancel", {}, "github:*", "github:write"),
        ("resources/read", {}, "github:resources:read", "github:write"),
        ("resources/subscribe", {}, "github:read", "github:issues:read"),
        ("prompts/get", {}, "github:prompts:read", "github:resources:read"),
        ("tasks/get", {}, "github:*", "github:read"),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt"}},
            "github:prompts:read",
            "github:write",
        ),
        ("completion/complete", {"ref": 7}, "github:read", "github:prompts:read"),
        ("completion/complete", {"ref": {"type": []}}, "github:read", "github:prompts:read"),
        ("acme/extension", {}, "github:*", "github:read"),
        ("Tools/Call", {}, "*", "github:read"),
    ],
)
def test_other_requests_need_little_and_unknown_ones_everything(
    method: str, params: dict[str, Any], enough: str, short: str | None
) -> None:
    asked = call(method, params, by=alice(enough), method=method)

    assert isinstance(decide(asked, NOW), Allow)
    if short is not None:
        asked = call(method, params, by=alice(short), method=method)
        assert isinstance(decide(asked, NOW), Deny)


def person(*phases: Phase, expires: float | None = None) -> Principal:
    return Principal(id="u-bob", email="bob@example.org", expires=expires, phases=phases)


READS = {"github": Access(allows=(Permission("github", "*", "read", "reader: github.read"),))}


@pytest.mark.parametrize(
    ("who", "code", "says"),
    [
        (person(), "no_active_role", "has no active role"),
        (person(Phase()), "no_active_role", "has no active role"),
        (person(Phase(roles=("reader",))), "no_grant", "has no permission on github"),
        (person(Phase(roles=("reader",), access=READS)), None, ""),
        (person(Phase(access=READS)), None, ""),
        (person(Phase(access=READS), expires=NOW), "access_expired", "ended on 2023-11-14"),
        (person(Phase(access=READS), expires=NOW + 1), None, ""),
        (person(Phase(ends=NOW, access=READS)), "no_active_role", "has no active role"),
        (person(Phase(ends=NOW + 0.001, access=READS)), None, ""),
        (
            person(Phase(ends=NOW + 60), Phase(begins=NOW + 60, access=READS)),
            "no_active_role",
            "access begins on 2023-11-14 at 22:14 UTC",
        ),
        (person(Phase(ends=NOW), Phase(begins=NOW, access=READS)), None, ""),
    ],
)
def test_a_phase_begins_and_ends_to_the_second(who: Principal, code: str | None, says: str) -> None:
    verdict = decide(call("list_issues", by=who), NOW)

    assert (verdict.code if isinstance(verdict, Deny) else None) == code
    assert says in verdict.reason


REPO = {"owner": "myorg", "repo": "api"}
# Each refuses, in the order in which they are asked.
REFUSING: dict[str, dict[str, Any]] = {
    "denied": {"denies": (Permission("github", "*", "write", "no_write"),)},
    "denied_tag": {"tags": (TagDeny(frozenset({"merge"}), "no_merge"),)},
    "outside_scope": {
        "bounds": (Bound(kind="repos", rule="only", allow=(compile_glob("other/*"),)),)
    },
    "outside_network": {"origins": (Origin(rule="office", networks=()),)},
    "denied_by_policy": {"policies": (Policy(name="freeze", effect=Effect.DENY),)},
}


@pytest.mark.parametrize("first", range(len(REFUSING) + 1))
def test_the_first_that_refuses_is_the_answer(first: int) -> None:
    rest = dict(list(REFUSING.items())[first:])
    more = {name: value for each in rest.values() for name, value in each.items()}
    by = alice("github:read", **more)

    verdict = decide(call("merge_pull_request", REPO, by=by), NOW)

    assert isinstance(verdict, Deny)
    assert verdict.code == next(iter(rest), "no_grant")


def test_malformed_targets_come_before_what_is_denied() -> None:
    by = alice("github:*", **REFUSING["denied"], **REFUSING["outside_scope"])

    verdict = decide(call("merge_pull_request", {"owner": 7, "repo": "api"}, by=by), NOW)

    assert isinstance(verdict, Deny)
    assert verdict.code == "bad_argument"


def test_a_permission_with_a_condition_stands_where_it_holds() -> None:
    when = compile_condition('args.owner == "myorg"')
    access = Access(allows=(Permission("github", "*", "read", "block", when),))
    by = person(Phase(access={"github": access}))

    assert isinstance(decide(call("list_issues", REPO, by=by), NOW), Allow)
    assert isinstance(decide(call("list_issues", {"owner": "x"}, by=by), NOW), Deny)
    assert isinstance(decide(call("list_issues", {}, by=by), NOW), Deny)


@given(
    table=st.sampled_from(TABLES[:2]),
    data=st.data(),
    action=st.sampled_from(sorted(ACTIONS)),
)
def test_what_is_allowed_is_visible_and_only_for_the_actions_held(
    table: Any, data: st.DataObject, action: str
) -> None:
    name = table.title
    house = server(name)
    tool, row = data.draw(st.sampled_from(sorted(table.tools.items(), key=lambda item: item[0])))
    value = data.draw(st.sampled_from([*row.method_actions, "explode"]))
    by = alice(f"{name}:{action}", on=name)
    arguments = {} if row.method_arg is None else {row.method_arg: value}

    verdict = decide(call(tool, arguments, by=by, at=house), NOW)

    if isinstance(verdict, Allow):
        assert verdict.actions == {action}
        assert visible(by.phase(NOW).on(name), house, tool, {})


@given(st.text(max_size=300), st.sampled_from(["github.read", "github:*"]))
def test_any_tool_name_gets_a_verdict_with_a_sentence(tool: str, permission: str) -> None:
    verdict = decide(call(tool, by=alice(permission)), NOW)

    assert verdict.reason
    assert len(verdict.reason) < 500
    assert verdict.reason.isprintable()
