from collections.abc import Callable
from datetime import UTC, date
from functools import partial
from typing import Any

import msgspec
import pytest

from tests.torhaus.policy.people import alice, asked, call, server
from torhaus.model.access import Access, Bound, Effect, Hours, Permission, Policy, TagDeny
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import ToolClass
from torhaus.model.verdict import Deny
from torhaus.policy.conditions import compile_condition
from torhaus.policy.decide import decide
from torhaus.policy.globs import compile_glob
from torhaus.policy.refusals import (
    agreement,
    bad_argument,
    by_policy,
    denied,
    elsewhere,
    inactive,
    missing,
    no_access,
    off_limits,
    opening,
    other_client,
    outside,
    scope_unknown,
    tagged,
    untold,
)

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
    assert bad_argument("`x` needs `method`") == Deny(
        "classification",
        "bad_argument",
        "`x` needs `method`. What the call would do cannot be told otherwise.",
    )


def test_access_that_begins_later_says_when() -> None:
    later = (Phase(ends=NOW + 60), Phase(begins=NOW + 60, roles=("developer",)))
    by = Principal(id="b", email="bob@example.org", phases=later)

    denied = inactive(call("list_issues", by=by), NOW)

    assert denied.code == "no_active_role"
    assert denied.reason == "bob@example.org's access begins on 2023-11-14 at 22:14 UTC."


CREATE = asked(call("create_issue"))
FROB = asked(call("frobnicate"))
LOGS = asked(call("get_job_logs"))
READS, WRITES, UNKNOWN = (frozenset({word}) for word in ("read", "write", "unknown"))
ONLY = Bound(kind="repos", rule="only", allow=tuple(map(compile_glob, ("a/*", "b/*", "c/*"))))
MORE = Bound(kind="repos", rule="only", allow=tuple(map(compile_glob, "abcde")))
OPEN = Bound(kind="repos", rule="only", deny=(compile_glob("a/*"),))
NO_WRITES = Permission("github", "*", "write", "no_writes")
CURSOR = frozenset({"vscode", "cursor"})


@pytest.mark.parametrize(
    ("refusal", "rule", "code", "reason", "actions"),
    [
        (
            partial(no_access, CREATE),
            "default_deny",
            "no_grant",
            "alice@example.org has no permission on github. Ask an administrator for "
            "`github:read` or what else the work needs.",
            WRITES,
        ),
        (
            partial(missing, FROB, "unknown"),
            "default_deny",
            "no_grant",
            "Nobody has said what `frobnicate` on github does, so it takes `github:*`; "
            "alice@example.org's role developer allows github.read. Ask an administrator to "
            "classify it or for `github:*`.",
            UNKNOWN,
        ),
        (
            partial(denied, CREATE, NO_WRITES, "write"),
            "no_writes",
            "denied",
            "`create_issue` on github is a write on issues, which no_writes forbids "
            "alice@example.org. Another role cannot allow it: ask an administrator to change that "
            "rule.",
            WRITES,
        ),
        (
            partial(denied, FROB, NO_WRITES, "unknown"),
            "no_writes",
            "denied",
            "Nobody has said what `frobnicate` on github does, so it may be what no_writes forbids "
            "alice@example.org. Ask an administrator to classify it.",
            UNKNOWN,
        ),
        (
            partial(tagged, LOGS, TagDeny(frozenset({"sensitive", "personal"}), "no_data")),
            "no_data",
            "denied_tag",
            "`get_job_logs` on github may give out sensitive data, which no_data keeps from "
            "alice@example.org. Ask somebody who may see it, or an administrator.",
            frozenset({"read"}),
        ),
        (
            partial(tagged, FROB, TagDeny(frozenset({"sensitive"}), "no_data")),
            "no_data",
            "denied_tag",
            "`frobnicate` on github may give out any data, which no_data keeps from "
            "alice@example.org. Ask somebody who may see it, or an administrator.",
            UNKNOWN,
        ),
        (
            partial(scope_unknown, CREATE, ONLY),
            "only",
            "scope_unknown",
            "only limits alice@example.org to certain repos, and the arguments of `create_issue` "
            "on github do not say which repos it is about. Name them, or use a tool that takes "
            "their names; allowed: `a/*`, `b/*`, `c/*`.",
            WRITES,
        ),
        (
            partial(outside, CREATE, MORE, "x/y"),
            "only",
            "outside_scope",
            "`x/y` is not among the repos that only opens to alice@example.org; allowed: `a`, `b`, "
            "`c` and 2 more. Ask an administrator to add it.",
            WRITES,
        ),
        (
            partial(outside, CREATE, OPEN, "x/y"),
            "only",
            "outside_scope",
            "`x/y` is not among the repos that only opens to alice@example.org. Ask an "
            "administrator to add it.",
            WRITES,
        ),
        (
            partial(off_limits, CREATE, OPEN, "a/b"),
            "only",
            "outside_scope",
            "`a/b` is among the repos that only closes to alice@example.org. Another role cannot "
            "open it: ask an administrator.",
            WRITES,
        ),
        (
            partial(elsewhere, CREATE, "office"),
            "office",
            "outside_network",
            "office takes calls to github from certain networks only, and this one comes from "
            "127.0.0.1. Connect from there, or ask an administrator.",
            WRITES,
        ),
        (
            partial(other_client, CREATE, "clients", CURSOR),
            "clients",
            "client_not_allowed",
            "clients takes calls from cursor, vscode only, and this client does not say its name.",
            WRITES,
        ),
        (
            partial(other_client, asked(call("create_issue", client="zed")), "clients", CURSOR),
            "clients",
            "client_not_allowed",
            "clients takes calls from cursor, vscode only, and this client calls itself `zed`.",
            WRITES,
        ),
    ],
)
def test_a_refusal_names_its_rule_what_was_asked_and_a_way_out(
    refusal: Callable[[], Deny], rule: str, code: str, reason: str, actions: frozenset[str]
) -> None:
    assert refusal() == Deny(rule, code, reason, actions)


def policy(effect: Effect, **more: Any) -> Policy:
    return Policy(name="freeze", effect=effect, **more)


NETWORK = elsewhere(CREATE, "freeze").reason
CLIENT = other_client(CREATE, "freeze", CURSOR).reason
WEEK = Hours(zone=UTC, days=frozenset(range(5)), windows=((28800, 43200), (46800, 64800)))


@pytest.mark.parametrize(
    ("rule", "code", "reason"),
    [
        (
            policy(Effect.DENY),
            "denied_by_policy",
            "The policy 'freeze' refuses `create_issue` on github to alice@example.org.",
        ),
        (
            policy(Effect.DENY, reason="It is Christmas..."),
            "denied_by_policy",
            "It is Christmas. The policy 'freeze' refuses `create_issue` on github to "
            "alice@example.org.",
        ),
        (policy(Effect.DENY_OUTSIDE_NETWORKS), "outside_network", NETWORK),
        (policy(Effect.DENY_OTHER_CLIENTS, clients=CURSOR), "client_not_allowed", CLIENT),
        (
            policy(Effect.DENY_OUTSIDE_HOURS),
            "outside_hours",
            "freeze closes github outside its hours.",
        ),
        (
            policy(Effect.DENY_OUTSIDE_HOURS, hours=WEEK, reason="Mail X."),
            "outside_hours",
            "Mail X. freeze opens `create_issue` on github Monday to Friday 08:00-12:00 and "
            "13:00-18:00 (UTC), and it is Tuesday, 22:13 there.",
        ),
    ],
)
def test_a_policy_that_refuses_says_why(rule: Policy, code: str, reason: str) -> None:
    assert by_policy(CREATE, rule) == Deny("freeze", code, reason, WRITES)


def test_a_condition_that_cannot_be_told_is_shown() -> None:
    rule = policy(Effect.DENY, when=compile_condition("hour > 8"))
    bare = policy(Effect.DENY)

    assert untold(CREATE, rule, "no such key") == Deny(
        "freeze",
        "condition_failed",
        "The policy 'freeze' asks `hour > 8`, which cannot be told of this call (no such key), so "
        "`create_issue` on github is refused.",
        WRITES,
    )
    assert "asks ``, which" in untold(CREATE, bare, "x").reason


def test_whoever_is_asked_to_agree_is_told_to_what() -> None:
    rule = policy(Effect.REQUIRE_APPROVAL)

    said = "The policy 'freeze' wants somebody to agree to `create_issue` on github first."
    assert agreement(CREATE, [rule, msgspec.structs.replace(rule, name="x")]) == said


@pytest.mark.parametrize(
    ("days", "words"),
    [
        (range(7), "daily"),
        (range(5), "Monday to Friday"),
        ((1, 2, 3), "Tuesday to Thursday"),
        ((5, 6), "Saturday, Sunday"),
        ((0, 2, 4), "Monday, Wednesday, Friday"),
        ((2,), "Wednesday"),
        ((), "never"),
    ],
)
def test_hours_are_said_as_people_say_them(days: Any, words: str) -> None:
    windows = ((0, 8 * 3600 + 59 * 60), (22 * 3600 + 5 * 60, 24 * 3600))
    hours = Hours(zone=UTC, days=frozenset(days), windows=windows)
    feasts = msgspec.structs.replace(hours, holidays=frozenset({date(2026, 12, 25)}))

    assert opening(hours) == f"{words} 00:00-08:59 and 22:05-24:00 (UTC)"
    assert opening(feasts) == f"{words} 00:00-08:59 and 22:05-24:00 (UTC), except on holidays"


def person(*phases: Phase, expires: float | None = None) -> Principal:
    return Principal(id="b", email="bob@example.org", expires=expires, phases=phases)


@pytest.mark.parametrize(
    ("who", "code", "reason"),
    [
        (
            person(expires=NOW),
            "access_expired",
            "Access for bob@example.org ended on 2023-11-14 at 22:13 UTC. Ask an administrator to "
            "extend it.",
        ),
        (
            person(Phase(begins=NOW + 7200, roles=("x",)), Phase(begins=NOW + 3600, roles=("y",))),
            "no_active_role",
            "bob@example.org's access begins on 2023-11-14 at 23:13 UTC.",
        ),
        (
            person(Phase(begins=NOW + 60)),
            "no_active_role",
            "bob@example.org has no active role. Ask an administrator for one, or for temporary "
            "access.",
        ),
        (
            person(Phase(begins=NOW + 60, access={"github": Access()})),
            "no_active_role",
            "bob@example.org's access begins on 2023-11-14 at 22:14 UTC.",
        ),
    ],
)
def test_somebody_without_access_is_told_when_he_has_or_had_it(
    who: Principal, code: str, reason: str
) -> None:
    assert inactive(call("list_issues", by=who), NOW) == Deny(code, code, reason)


def test_many_roles_are_named_each_with_what_it_allows() -> None:
    rules = ("a: github:read", "a: x: write", "b: github:*", "a", "guest: x")
    held = tuple(Permission("github", "*", "read", rule) for rule in (*rules, rules[0]))
    by = person(Phase(roles=("a", "b"), access={"github": Access(allows=held)}))

    assert missing(asked(call("x", by=by)), "write").reason.partition("; ")[2] == (
        "bob@example.org's role a allows github:read, x: write and role b allows github:* and "
        "rule allows a, guest: x. Ask an administrator for `github:write`."
    )


@pytest.mark.parametrize(
    ("kind", "action", "says"),
    [
        ("issues", "read", "is a read on issues;"),
        ("issues", "write", "is a write on issues;"),
        ("issues", "delete", "is a delete action on issues;"),
        ("issues", "admin", "is an admin action on issues;"),
        ("issues", "execute", "is an execute action on issues;"),
        ("*", "read", "is a read;"),
        ("", "admin", "is an admin action;"),
    ],
)
def test_what_a_call_does_is_said_in_english(kind: str, action: str, says: str) -> None:
    row = ToolClass(actions=frozenset({action}), type=kind)
    by = alice("acme:tasks:resolve", on="acme")
    house = server("acme", classes={"x": row})

    assert missing(asked(call("x", by=by, at=house)), action).reason.startswith(
        f"`x` on acme {says}"
    )


def test_other_requests_are_called_by_their_method() -> None:
    read = decide(call("u", method="resources/read", by=alice("github:issues:read")), NOW)
    freeze = alice("github:read", policies=(policy(Effect.DENY),))
    listed = decide(call("u", method="tools/list", by=freeze), NOW)

    assert read.reason.startswith("`resources/read` on github is a read on resources; ")
    assert (
        listed.reason == "The policy 'freeze' refuses `tools/list` on github to alice@example.org."
    )


def test_every_tag_that_is_kept_back_is_named() -> None:
    row = ToolClass(actions=READS, type="x", tags=frozenset({"personal", "sensitive", "merge"}))
    it = asked(call("x", by=alice("acme:read", on="acme"), at=server("acme", classes={"x": row})))

    found = tagged(it, TagDeny(frozenset({"sensitive", "personal"}), "r"))

    assert " may give out personal and sensitive data, " in found.reason
