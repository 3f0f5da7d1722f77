from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from tests.torhaus.policy.people import SENTRY, alice, call
from torhaus.model.access import Effect, Hours, Policy
from torhaus.model.verdict import Allow, Deny, Hold, Verdict
from torhaus.policy.conditions import compile_condition
from torhaus.policy.decide import decide
from torhaus.policy.globs import compile_glob
from torhaus.policy.names import normal

MONDAY = 1_790_000_000.0  # 21 September 2026, 16:13:20 in Berlin
NIGHT = MONDAY + 6 * 3600
OFFICE = Hours(
    zone=ZoneInfo("Europe/Berlin"),
    days=frozenset(range(5)),
    windows=((8 * 3600, 18 * 3600),),
)
HOME = (ip_network("10.0.0.0/8"),)
REPO = {"owner": "myorg", "repo": "api"}


def policy(effect: Effect = Effect.DENY, *, tools: str = "", when: str = "", **more: Any) -> Policy:
    return Policy(
        name="the rule",
        effect=effect,
        tools=tuple(compile_glob(normal(tool)) for tool in tools.split()),
        when=compile_condition(when) if when else None,
        **more,
    )


def verdict(
    rule: Policy,
    tool: str = "create_issue",
    arguments: dict[str, Any] | None = None,
    *,
    now: float = MONDAY,
    **more: Any,
) -> Verdict:
    ip = more.pop("ip", "127.0.0.1")
    asked = call(tool, arguments, by=alice("github:*", policies=(rule,)), **more)
    return decide(msgspec.structs.replace(asked, ip=ip), now)


def code(found: Verdict) -> str | None:
    return found.code if isinstance(found, Deny) else None


WRITES = frozenset({"write"})
ISSUES = frozenset({"issues"})


@pytest.mark.parametrize(
    ("rule", "tool", "refused"),
    [
        (policy(), "create_issue", True),
        (policy(tools="create_issue"), "create_issue", True),
        (policy(tools="createIssue"), "create_issue", True),
        (policy(tools="create_*"), "create_issue", True),
        (policy(tools="delete_* create_*"), "createIssue", True),
        (policy(tools="delete_*"), "create_issue", False),
        (policy(actions=WRITES), "create_issue", True),
        (policy(actions=WRITES), "list_issues", False),
        (policy(actions=WRITES), "frobnicate", True),
        (policy(types=ISSUES), "create_issue", True),
        (policy(types=ISSUES), "get_label", True),
        (policy(types=ISSUES), "list_branches", False),
        (policy(types=ISSUES), "frobnicate", True),
        (policy(types=frozenset({"*"})), "list_branches", True),
        (policy(tools="create_*", actions=WRITES, types=ISSUES), "create_issue", True),
        (policy(tools="create_*", actions=WRITES, types=ISSUES), "create_branch", False),
        (policy(when='args.title == "x"'), "create_issue", False),
    ],
)
def test_a_policy_is_about_some_tools_actions_and_types(
    rule: Policy, tool: str, *, refused: bool
) -> None:
    found = verdict(rule, tool, {**REPO, "title": "y"})

    assert code(found) == ("denied_by_policy" if refused else None)


def test_a_dispatcher_goes_by_both_its_names() -> None:
    outer = {"name": "find_releases", "arguments": {}}
    for tools in ("execute_sentry_tool", "find_releases"):
        by = alice("sentry:*", on="sentry", policies=(policy(tools=tools),))
        found = decide(call("execute_sentry_tool", outer, by=by, at=SENTRY), MONDAY)
        assert code(found) == "denied_by_policy"


CLOSED = policy(Effect.DENY_OUTSIDE_HOURS, hours=OFFICE)


@pytest.mark.parametrize(
    ("rule", "now", "refused"),
    [
        (CLOSED, MONDAY, False),
        (CLOSED, NIGHT, True),
        (policy(Effect.DENY_OUTSIDE_HOURS, hours=OFFICE, actions=WRITES), NIGHT, True),
        (policy(Effect.DENY_OUTSIDE_HOURS, hours=OFFICE, tools="list_*"), NIGHT, False),
        (policy(Effect.DENY_OUTSIDE_HOURS, hours=OFFICE, networks=HOME), NIGHT, False),
        (policy(Effect.DENY_OUTSIDE_HOURS), MONDAY, True),
        (policy(hours=OFFICE), MONDAY, True),
        (policy(hours=OFFICE), NIGHT, False),
    ],
)
def test_hours(rule: Policy, now: float, *, refused: bool) -> None:
    found = verdict(rule, now=now)

    assert isinstance(found, Deny) is refused
    assert isinstance(found, Allow) is not refused


def test_a_refusal_at_night_says_when_it_is_open() -> None:
    found = verdict(msgspec.structs.replace(CLOSED, name="Office hours"), now=NIGHT)

    assert found == Deny(
        "Office hours",
        "outside_hours",
        "Office hours opens `create_issue` on github Monday to Friday 08:00-18:00 (Europe/Berlin), "
        "and it is Monday, 22:13 there.",
        WRITES,
    )


OUTSIDE = policy(Effect.DENY_OUTSIDE_NETWORKS, networks=HOME)
OTHERS = policy(Effect.DENY_OTHER_CLIENTS, clients=frozenset({"cursor"}))
IT = {"hours": OFFICE, "networks": HOME, "clients": frozenset({"cursor"})}
ALL_OF_IT = policy(Effect.DENY_OUTSIDE_HOURS, **IT)
NETWORKS_OF_IT = policy(Effect.DENY_OUTSIDE_NETWORKS, **IT)
CLIENTS_OF_IT = policy(Effect.DENY_OTHER_CLIENTS, **IT)


@pytest.mark.parametrize(
    ("rule", "asked", "says"),
    [
        (OUTSIDE, {"ip": "10.0.0.1"}, None),
        (OUTSIDE, {"ip": "192.0.2.1"}, "outside_network"),
        (OUTSIDE, {"ip": "nowhere"}, "outside_network"),
        (policy(Effect.DENY_OUTSIDE_NETWORKS), {"ip": "10.0.0.1"}, "outside_network"),
        (policy(networks=HOME), {"ip": "10.0.0.1"}, "denied_by_policy"),
        (policy(networks=HOME), {"ip": "192.0.2.1"}, None),
        (OTHERS, {"client": "Cursor"}, None),
        (OTHERS, {"client": "vscode"}, "client_not_allowed"),
        (OTHERS, {}, "client_not_allowed"),
        (policy(Effect.DENY_OTHER_CLIENTS), {"client": "cursor"}, "client_not_allowed"),
        (policy(clients=frozenset({"cursor"})), {"client": "cursor"}, "denied_by_policy"),
        (policy(clients=frozenset({"cursor"})), {}, None),
        (
            policy(Effect.DENY_OUTSIDE_NETWORKS, networks=HOME, hours=OFFICE),
            {"ip": "192.0.2.1", "now": NIGHT},
            None,
        ),
        # What a policy is not named after narrows it: all of it must hold.
        (ALL_OF_IT, {"ip": "10.0.0.1", "client": "cursor", "now": NIGHT}, "outside_hours"),
        (ALL_OF_IT, {"ip": "10.0.0.1", "client": "zed", "now": NIGHT}, None),
        (ALL_OF_IT, {"ip": "192.0.2.1", "client": "cursor", "now": NIGHT}, None),
        (ALL_OF_IT, {"ip": "10.0.0.1", "client": "cursor"}, None),
        (NETWORKS_OF_IT, {"client": "cursor"}, "outside_network"),
        (NETWORKS_OF_IT, {"client": "zed"}, None),
        (NETWORKS_OF_IT, {"client": "cursor", "now": NIGHT}, None),
        (CLIENTS_OF_IT, {"client": "zed", "ip": "10.0.0.1"}, "client_not_allowed"),
        (CLIENTS_OF_IT, {"client": "zed", "ip": "192.0.2.1"}, None),
        (CLIENTS_OF_IT, {"client": "zed", "ip": "10.0.0.1", "now": NIGHT}, None),
    ],
)
def test_networks_and_clients(rule: Policy, asked: dict[str, Any], says: str | None) -> None:
    assert code(verdict(rule, **asked)) == says


BROKEN = 'args.missing == "x"'


@pytest.mark.parametrize(
    "effect", [Effect.DENY, Effect.DENY_OUTSIDE_NETWORKS, Effect.REQUIRE_APPROVAL]
)
def test_a_condition_that_cannot_be_told_refuses(effect: Effect) -> None:
    found = verdict(policy(effect, when=BROKEN))

    assert isinstance(found, Deny)
    assert (found.rule, found.code) == ("the rule", "condition_failed")
    assert BROKEN.replace('"', "") in found.reason.replace('"', "")


@pytest.mark.parametrize("effect", [Effect.DENY, Effect.REQUIRE_APPROVAL])
def test_the_error_of_a_condition_is_told(effect: Effect) -> None:
    found = verdict(policy(effect, when='args.title == "x" || args.missing == 1'))

    assert "which cannot be told of this call ('missing'), so" in found.reason


@pytest.mark.parametrize(("effect", "ends"), [(Effect.DENY, Deny), (Effect.REQUIRE_APPROVAL, Hold)])
@pytest.mark.parametrize("first", [{"tools": "delete_*"}, {"when": 'user == "x"'}])
def test_a_policy_that_does_not_apply_leaves_it_to_the_next(
    effect: Effect, ends: type, first: dict[str, str]
) -> None:
    second = msgspec.structs.replace(policy(effect, when='user != ""'), name="second")
    by = alice("github:*", policies=(policy(effect, **first), second))

    found = decide(call("create_issue", by=by), MONDAY)

    assert isinstance(found, ends)
    assert found.rule == "second"


def test_a_condition_is_not_asked_of_other_calls() -> None:
    assert isinstance(verdict(policy(tools="delete_*", when=BROKEN)), Allow)
    assert isinstance(verdict(policy(hours=OFFICE, when=BROKEN), now=NIGHT), Allow)


@pytest.mark.parametrize(
    ("method", "rule", "refused"),
    [
        ("initialize", CLOSED, True),
        ("resources/read", CLOSED, True),
        ("resources/read", policy(when='args.uri == "a"'), True),
        ("resources/read", policy(when='args.uri == "b"'), False),
        ("tools/list", CLOSED, True),
        ("subscriptions/listen", OUTSIDE, True),
        ("initialize", policy(), True),
        ("initialize", policy(tools="create_*"), False),
        ("initialize", policy(actions=WRITES), False),
        ("initialize", policy(types=ISSUES), False),
        ("initialize", policy(when=BROKEN), False),
        ("initialize", policy(Effect.REQUIRE_APPROVAL), False),
        ("resources/read", policy(tools="*"), False),
        ("resources/read", policy(actions=frozenset({"read"})), True),
        ("prompts/get", policy(types=frozenset({"prompts"})), True),
        ("tasks/get", policy(actions=WRITES), True),
    ],
)
def test_requests_without_a_tool(method: str, rule: Policy, *, refused: bool) -> None:
    found = verdict(rule, method, {"uri": "a"}, now=NIGHT, method=method)

    assert type(found) is (Deny if refused else Allow)


def test_somebody_else_must_agree() -> None:
    rule = policy(Effect.REQUIRE_APPROVAL, tools="create_*", approvers=("tech-lead",))
    found = verdict(rule)

    assert isinstance(found, Hold)
    assert found.rule == "the rule"
    assert found.approvers == (("tech-lead",),)
    assert found.allow == Allow("developer: github:*", "developer: github:* allows write", WRITES)
    assert found.reason == (
        "The policy 'the rule' wants somebody to agree to `create_issue` on github first."
    )
    assert isinstance(verdict(rule, "list_issues"), Allow)


def test_every_policy_that_asks_is_named_with_its_approvers() -> None:
    one = policy(Effect.REQUIRE_APPROVAL, approvers=("a",), reason="Money is spent.")
    other = msgspec.structs.replace(one, name="another", approvers=(), reason="")
    by = alice("github:*", policies=(one, other), redact="no_sensitive_data")

    found = decide(call("create_issue", by=by), MONDAY)

    assert isinstance(found, Hold)
    assert (found.rule, found.approvers) == ("the rule, another", (("a",), ()))
    assert found.reason.startswith("Money is spent. The policy 'the rule' wants")
    assert found.allow.redact == "no_sensitive_data"


def test_what_is_denied_needs_nobodys_agreement() -> None:
    rules = (policy(Effect.REQUIRE_APPROVAL), policy(actions=WRITES))
    by = alice("github:*", policies=rules)

    assert code(decide(call("create_issue", by=by), MONDAY)) == "denied_by_policy"
    nobody = alice("github:read", policies=rules[:1])
    assert code(decide(call("create_issue", by=nobody), MONDAY)) == "no_grant"


def test_policies_that_only_watch_are_noted() -> None:
    watch = policy(Effect.LOG_ONLY, actions=WRITES)
    broken = msgspec.structs.replace(policy(Effect.LOG_ONLY, when=BROKEN), name="broken")
    by = alice("github:*", policies=(watch, broken))

    wrote, read = (decide(call(tool, by=by), MONDAY) for tool in ("create_issue", "list_issues"))

    assert isinstance(wrote, Allow)
    assert isinstance(read, Allow)
    assert (wrote.noted, read.noted) == (("the rule", "broken"), ("broken",))
    assert (wrote.rule, wrote.actions) == ("developer: github:*", WRITES)
    assert wrote.reason == "developer: github:* allows write"
    assert wrote.redact is None


@pytest.mark.parametrize(
    ("rule", "masked"),
    [
        (policy(Effect.REDACT), "the rule"),
        (policy(Effect.REDACT, actions=WRITES), "the rule"),
        (policy(Effect.REDACT, tools="list_*"), None),
        (policy(Effect.REDACT, when='args.x == "y"'), "the rule"),
        (policy(Effect.REDACT, when='user == "bob@example.org"'), None),
        (policy(Effect.REDACT, hours=OFFICE), "the rule"),
    ],
)
def test_a_policy_can_mask(rule: Policy, masked: str | None) -> None:
    found = verdict(rule)

    assert isinstance(found, Allow)
    assert found.redact == masked


def test_what_is_masked_anyway_keeps_its_own_rule() -> None:
    by = alice("github:*", policies=(policy(Effect.REDACT),), redact="no_sensitive_data")

    found = decide(call("create_issue", by=by), MONDAY)

    assert isinstance(found, Allow)
    assert found.redact == "no_sensitive_data"


def test_a_policy_gives_its_own_reason_first() -> None:
    found = verdict(policy(reason="Releases are frozen."))

    assert found.reason == (
        "Releases are frozen. The policy 'the rule' refuses `create_issue` on github to "
        "alice@example.org."
    )
