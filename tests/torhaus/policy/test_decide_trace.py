"""Every step of a decision, for people."""

from ipaddress import ip_network
from typing import Any

import msgspec
import pytest

from tests.torhaus.policy.people import GITHUB, SENTRY, alice, call, server
from torhaus.model.access import Access, Bound, Effect, Origin, Permission, Policy, TagDeny
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import ToolClass
from torhaus.model.verdict import Step
from torhaus.policy.conditions import compile_condition
from torhaus.policy.decide import barred, decide
from torhaus.policy.globs import compile_glob

NOW = 1_700_000_000.0
REPO = {"owner": "myorg", "repo": "api"}
ELSEWHERE = Bound(kind="repos", rule="only", allow=(compile_glob("other/*"),))


def traced(tool: str, arguments: dict[str, Any], **more: Any) -> list[Step]:
    trace: list[Step] = []
    verdict = decide(call(tool, arguments, **more), NOW, trace)
    assert decide(call(tool, arguments, **more), NOW) == verdict
    assert trace[-1] == Step("verdict", trace[-1].result, verdict.rule, verdict.reason)
    return trace


def test_the_trace_of_an_allowed_call_has_every_step() -> None:
    by = alice(
        "github.read",
        "github:issues:write",
        denies=(Permission("github", "*", "delete", "no_delete"),),
        tags=(TagDeny(frozenset({"sensitive"}), "no_sensitive_data"),),
        bounds=(Bound(kind="repos", rule="only_repos", allow=(compile_glob("myorg/*"),)),),
        origins=(Origin(rule="office", networks=(ip_network("127.0.0.0/8"),)),),
        policies=(
            Policy(name="freeze", effect=Effect.DENY, actions=frozenset({"delete"})),
            Policy(name="watch", effect=Effect.LOG_ONLY),
            Policy(name="agree", effect=Effect.REQUIRE_APPROVAL, tools=(compile_glob("merge*"),)),
        ),
        redact="no_sensitive_data",
    )

    trace = traced("create_issue", REPO, by=by, client="cursor")

    assert trace == [
        Step("caller", "pass", "", "alice@example.org: developer"),
        Step("class", "note", "table", "write on issues"),
        Step("targets", "note", "", "repos myorg/api"),
        Step("denies", "pass", "", "none of 1 denies is about this call"),
        Step("tags", "pass", "no_sensitive_data", "refuses sensitive; this has none"),
        Step("bounds", "pass", "only_repos", "all repos lie within it"),
        Step("origin", "pass", "office", "from 127.0.0.1 with cursor"),
        Step("policies", "pass", "freeze", "does not apply to this call, now"),
        Step("grants", "pass", "developer: github:issues:write", "allows write"),
        Step("policies", "note", "watch", "it only watches"),
        Step("redaction", "note", "no_sensitive_data", "arguments and result are masked"),
        Step("policies", "pass", "agree", "asks nobody about this call"),
        Step(
            "verdict",
            "allow",
            "developer: github:issues:write",
            "developer: github:issues:write allows write",
        ),
    ]


def test_a_trace_ends_where_the_call_is_refused() -> None:
    trace = traced("create_issue", {}, by=alice("github.*", bounds=(ELSEWHERE,)))

    assert [step.step for step in trace] == ["caller", "class", "targets", "verdict"]
    assert trace[2].detail == "unknown repos"
    assert (trace[-1].result, trace[-1].rule) == ("deny", "only")


def test_a_trace_names_the_inner_tool_its_tags_and_who_has_to_agree() -> None:
    rules = (Policy(name="agree", effect=Effect.REQUIRE_APPROVAL),)
    by = alice("sentry:*", on="sentry", policies=rules)
    inner = {"name": "find_dsns", "arguments": {"projectSlug": "web"}}

    trace = traced("execute_sentry_tool", inner, by=by, at=SENTRY)

    assert trace[1].detail == "read on dsns; runs find_dsns; tags sensitive"
    assert trace[-2] == Step("policies", "approval", "agree", "somebody has to agree")
    assert (trace[-1].step, trace[-1].result) == ("verdict", "approval")


@pytest.mark.parametrize(
    ("method", "said"),
    [
        ("tools/list", "tools/list: any permission is enough"),
        ("resources/read", "resources/read: read on resources"),
        ("acme/extension", "acme/extension: unknown on things of unknown type"),
    ],
)
def test_a_trace_says_what_other_requests_need(method: str, said: str) -> None:
    trace = traced(method, {}, method=method, by=alice("github:*"))

    assert trace[1] == Step("class", "note", "method", said)


def test_a_tool_nobody_knows_is_traced_as_such() -> None:
    trace = traced("frobnicate", {}, by=alice("github:*"))

    assert trace[1] == Step("class", "note", "unknown", "unknown on things of unknown type")


def test_a_malformed_call_is_traced_too() -> None:
    trace = traced("label_write", {"method": 7}, by=alice("*"))

    assert trace[1].detail == "nothing that can be told on labels"
    assert trace[-1].result == "deny"


def test_a_trace_names_every_role_every_action_and_every_tag() -> None:
    row = ToolClass(
        actions=frozenset({"read", "delete"}), type="things", tags=frozenset({"b", "a"})
    )
    house = server("acme", classes={"x": row})
    tags = (TagDeny(frozenset({"sensitive", "personal"}), "no_data"),)
    access = Access(allows=(Permission("acme", "*", "*", "r"),), tags=tags)
    both = Phase(roles=("lead", "guest"), access={"acme": access})
    own = Phase(access={"acme": access})
    origin = Origin(rule="office", networks=(ip_network("127.0.0.0/8"),))
    rule = Policy(name="freeze", effect=Effect.DENY, when=compile_condition('user == "x"'))
    narrow = msgspec.structs.replace(access, origins=(origin,), policies=(rule,))
    more = Phase(access={"acme": narrow})

    def steps(phase: Phase) -> list[Step]:
        by = Principal(id="b", email="bob@example.org", phases=(phase,))
        return traced("x", {}, by=by, at=house)

    assert steps(both)[:3] == [
        Step("caller", "pass", "", "bob@example.org: lead, guest"),
        Step("class", "note", "table", "delete, read on things; tags a, b"),
        Step("tags", "pass", "no_data", "refuses personal or sensitive; this has a, b"),
    ]
    assert steps(own)[0].detail == "bob@example.org: no role, but a block of his own"
    assert steps(more)[3:5] == [
        Step("origin", "pass", "office", "from 127.0.0.1 with a client without a name"),
        Step("policies", "pass", "freeze", 'user == "x" is not true of it'),
    ]


def test_somebody_may_listen_while_he_may_call() -> None:
    def why(ip: str = "10.0.0.1", client: str = "cursor", now: float = NOW) -> str | None:
        origin = Origin(
            rule="office",
            networks=(ip_network("10.0.0.0/8"),),
            clients=frozenset({"cursor"}),
        )
        by = alice("github.read", origins=(origin,), expires=NOW + 1)
        denied = barred(by, GITHUB, ip, client, now)
        return None if denied is None else denied.code

    assert why() is None
    # Whoever may only listen for lists needs no permission on resources.
    assert barred(alice("github:issues:write"), GITHUB, "", "", NOW) is None
    assert why(ip="192.0.2.1") == "outside_network"
    assert why(client="") == "client_not_allowed"
    assert why(now=NOW + 1) == "access_expired"
