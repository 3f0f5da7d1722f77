from datetime import UTC
from typing import Any

import msgspec
import pytest

from tests.torhaus.policy.people import GITHUB, SENTRY, alice, call
from torhaus.model.access import (
    Access,
    Bound,
    Effect,
    Hours,
    Origin,
    Permission,
    Policy,
    TagDeny,
)
from torhaus.model.people import Phase, Principal
from torhaus.model.verdict import Deny
from torhaus.policy.conditions import compile_condition
from torhaus.policy.decide import decide
from torhaus.policy.globs import compile_glob
from torhaus.policy.visible import boundless, listed, may_use, visible

NOW = 1_700_000_000.0


def on(who: Principal, server: str = "github") -> Access:
    return who.phase(NOW).on(server)


@pytest.mark.parametrize(
    ("permission", "tool", "seen"),
    [
        ("github:read", "list_issues", True),
        ("github:read", "create_issue", False),
        ("github:delete", "label_write", True),
        ("github:admin", "label_write", False),
        ("github:read", "frobnicate", False),
        ("github:*", "frobnicate", True),
    ],
)
def test_a_tool_is_shown_when_some_argument_could_be_allowed(
    permission: str, tool: str, seen: bool
) -> None:
    assert visible(on(alice(permission)), GITHUB, tool, {}) is seen


def test_a_dispatcher_is_shown_to_whoever_may_run_one_of_its_tools() -> None:
    runs = on(alice("sentry:seer:execute", on="sentry"), "sentry")
    reads = on(alice("sentry:seer:read", on="sentry"), "sentry")

    assert visible(runs, SENTRY, "execute_sentry_tool", {})
    assert not visible(reads, SENTRY, "analyze_issue_with_seer", {})


def test_a_hint_hides_what_it_makes_refused() -> None:
    hints = {"readOnlyHint": False}

    assert not visible(on(alice("github:read")), GITHUB, "list_issues", hints)
    assert isinstance(decide(call("list_issues", hints=hints), NOW), Deny)


def test_a_server_is_used_with_any_permission_on_it() -> None:
    assert may_use(alice("github:issues:read"), GITHUB, NOW)
    assert not may_use(alice("github:issues:read"), SENTRY, NOW)
    assert may_use(alice("*:read", on="*"), SENTRY, NOW)


def bound(*allow: str, deny: tuple[str, ...] = (), when: str | None = None) -> Bound:
    return Bound(
        kind="repos",
        rule="only",
        allow=tuple(map(compile_glob, allow)) if allow else None,
        deny=tuple(map(compile_glob, deny)),
        when=None if when is None else compile_condition(when),
    )


def deny(kind: str, action: str, when: str | None = None) -> Permission:
    condition = None if when is None else compile_condition(when)
    return Permission("github", kind, action, "no", condition)


def policy(effect: Effect, **more: Any) -> Policy:
    return Policy(name="p", effect=effect, **more)


SOME = (compile_glob("get*"), compile_glob("list*"))
NIGHT = Hours(zone=UTC, windows=((0, 1),))


@pytest.mark.parametrize(
    ("access", "tool", "seen"),
    [
        ({"denies": (deny("*", "read"),)}, "list_issues", False),
        ({"denies": (deny("repos", "delete"),)}, "delete_file", False),
        ({"denies": (deny("*", "delete"),)}, "label_write", True),
        ({"denies": (deny("*", "read", "hour > 25"),)}, "list_issues", True),
        ({"denies": (deny("repos", "admin"),)}, "frobnicate", False),
        ({"denies": (deny("issues", "write"),)}, "create_gizmo", False),
        ({"tags": (TagDeny(frozenset({"sensitive"}), "no"),)}, "get_job_logs", False),
        ({"tags": (TagDeny(frozenset({"sensitive"}), "no"),)}, "list_issues", True),
        ({"tags": (TagDeny(frozenset({"sensitive"}), "no"),)}, "frobnicate", False),
        ({"bounds": (bound("myorg/*"),)}, "list_issues", True),
        ({"bounds": (bound("myorg/*"),)}, "get_me", True),
        ({"bounds": (bound("myorg/*"),)}, "search_code", False),
        ({"bounds": (bound("myorg/*"),)}, "frobnicate", False),
        ({"bounds": (bound("*"),)}, "frobnicate", True),
        ({"bounds": (bound(deny=("a/b",)),)}, "search_code", False),
        ({"bounds": (bound("myorg/*", when="hour > 25"),)}, "search_code", True),
        ({"policies": (policy(Effect.DENY),)}, "list_issues", False),
        ({"policies": (policy(Effect.DENY, actions=frozenset({"read"})),)}, "list_issues", False),
        ({"policies": (policy(Effect.DENY, actions=frozenset({"write"})),)}, "list_issues", True),
        ({"policies": (policy(Effect.DENY, types=frozenset({"issues"})),)}, "get_label", False),
        ({"policies": (policy(Effect.DENY, types=frozenset({"repos"})),)}, "list_issues", True),
        ({"policies": (policy(Effect.DENY, tools=(compile_glob("list*"),)),)}, "list_tags", False),
        ({"policies": (policy(Effect.DENY, tools=(compile_glob("get*"),)),)}, "list_tags", True),
        ({"policies": (policy(Effect.DENY, tools=SOME),)}, "list_tags", False),
        # Another hour, network or client, or somebody's agreement: it may be allowed yet.
        ({"policies": (policy(Effect.DENY, hours=NIGHT),)}, "list_issues", True),
        ({"policies": (policy(Effect.DENY, networks=()),)}, "list_issues", True),
        ({"policies": (policy(Effect.DENY, clients=frozenset()),)}, "list_issues", True),
        ({"policies": (policy(Effect.DENY_OUTSIDE_HOURS, hours=NIGHT),)}, "list_issues", True),
        ({"policies": (policy(Effect.REQUIRE_APPROVAL),)}, "list_issues", True),
        ({"policies": (policy(Effect.LOG_ONLY),)}, "list_issues", True),
    ],
)
def test_what_no_argument_could_make_allowed_is_hidden(
    access: dict[str, Any], tool: str, *, seen: bool
) -> None:
    who = alice("github:*", **access)

    assert visible(on(who), GITHUB, tool, {}) is seen


@pytest.mark.parametrize(
    ("permissions", "denies", "method", "seen"),
    [
        (("github:read",), (), "resources/read", True),
        (("github:issues:write",), (), "resources/read", False),
        (("github:*",), (deny("resources", "read"),), "resources/read", False),
        (("github:*",), (deny("resources", "read"),), "prompts/get", True),
        (("github:prompts:read",), (), "prompts/get", True),
        (("github:issues:write",), (), "ping", True),
        ((), (), "ping", False),
    ],
)
def test_other_lists_are_shown_to_whoever_may_use_them(
    permissions: tuple[str, ...], denies: tuple[Permission, ...], method: str, *, seen: bool
) -> None:
    who = alice(*permissions, denies=denies)

    assert listed(on(who), GITHUB, method) is seen


def test_a_server_is_used_while_a_phase_opens_it() -> None:
    (phase,) = alice("github:read").phases
    later = msgspec.structs.replace(phase, begins=NOW, ends=NOW + 60)
    who = Principal(id="b", email="bob@example.org", phases=(Phase(ends=NOW), later))

    assert [may_use(who, GITHUB, NOW + at) for at in (-1, 0, 59, 60)] == [False, True, True, False]


EVERYTHING = (Permission("github", "*", "*", "r"),)


@pytest.mark.parametrize(
    ("access", "free"),
    [
        (Access(allows=EVERYTHING), True),
        (Access(), False),
        (Access(allows=(Permission("github", "issues", "*", "r"),)), False),
        (Access(allows=(Permission("github", "*", "read", "r"),)), False),
        (
            Access(allows=(Permission("github", "*", "*", "r", compile_condition("hour > 8")),)),
            False,
        ),
        (Access(allows=(Permission("github", "*", "read", "r"), *EVERYTHING)), True),
        (Access(allows=EVERYTHING, denies=(deny("x", "read"),)), False),
        (Access(allows=EVERYTHING, tags=(TagDeny(frozenset({"sensitive"}), "r"),)), False),
        (Access(allows=EVERYTHING, bounds=(bound("*"),)), False),
        (Access(allows=EVERYTHING, origins=(Origin(rule="r"),)), False),
        (Access(allows=EVERYTHING, policies=(policy(Effect.LOG_ONLY),)), False),
    ],
)
def test_everything_is_open_where_nothing_holds_back(access: Access, *, free: bool) -> None:
    assert boundless(access) is free
