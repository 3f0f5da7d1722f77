from typing import Any

import pytest

from tests.torhaus.asked import READS, call, person, server
from torhaus.cache.plan import MAX_ARGUMENTS, MAX_RESULT, Plan, findable, keepable, plan
from torhaus.model.caching import CacheRule, Caching, Scope, Vary
from torhaus.model.call import Call
from torhaus.model.people import Phase, Principal
from torhaus.model.verdict import Allow

CACHED = server(caching=Caching(other=CacheRule(ttl=300.0)))


def planned(asked: Call, *actions: str) -> Plan:
    return plan(asked, Allow("r", "r", frozenset(actions)))


def test_a_read_on_a_cached_server_is_kept() -> None:
    found = planned(call("list_issues", at=CACHED), "read")

    assert found.key is not None
    assert (found.ttl, found.tag) == (300.0, "github.list_issues")


def test_answers_kept_under_another_rule_have_other_names() -> None:
    names = {
        planned(call("list_issues", at=server(caching=Caching(other=rule))), "read").key
        for rule in (
            CacheRule(ttl=60.0),
            CacheRule(ttl=60.0, digest="a"),
            CacheRule(ttl=60.0, digest="b"),
        )
    }

    assert len(names) == 3


@pytest.mark.parametrize("actions", [(), ("write",), ("read", "write"), ("unknown",)])
def test_only_what_reads_and_nothing_else_is_kept(actions: tuple[str, ...]) -> None:
    assert planned(call("x", at=CACHED), *actions).key is None


def test_an_approved_call_is_made_and_its_answer_is_nobody_else_s() -> None:
    approved = Allow("r", "r", frozenset({"read"}), approved="apr_1")

    assert plan(call("list_issues", at=CACHED), approved).key is None


@pytest.mark.parametrize(
    "asked",
    [
        call("list_issues"),
        call("list_issues", at=CACHED, retry=True),
        call("resources/read", at=CACHED, method="resources/read"),
        call("prompts/get", at=CACHED, method="prompts/get"),
        call("list_issues", {"x": float("inf")}, at=CACHED),
    ],
)
def test_these_are_never_kept(asked: Call) -> None:
    assert plan(asked, READS).key is None


def test_callers_share_what_one_upstream_credential_sees() -> None:
    bob = person("bob")

    one = plan(call("list_issues", {"a": 1, "b": 2}, at=CACHED), READS)
    other = plan(call("list_issues", {"b": 2, "a": 1}, at=CACHED, by=bob), READS)

    assert one == other


@pytest.mark.parametrize(
    ("result", "kept"),
    [
        (b'{"content":[]}', True),
        (b'{"content":[],"isError":false}', True),
        (b'{"content":[],"resultType":"complete","structuredContent":{"isError":true}}', True),
        (b'{"content":[],"ttlMs":5000,"cacheScope":"public"}', True),
        (b'{"content":[],"isError":true}', False),
        (b'{"content":[],"isError":null}', False),
        (b'{"content":[],"isError":"false"}', False),
        (b'{"content":[],"\\u0069sError":true}', False),
        (b'{"resultType":"input_required","inputRequests":{}}', False),
        (b'{"resultType":"task"}', False),
        (b'{"task":{"taskId":"1"}}', False),
        (b'{"content":[],"cacheScope":"private"}', False),
        (b'{"content":[],"ttlMs":0}', False),
        (b"[]", False),
        (b"null", False),
        (b"", False),
        (b"{", False),
        (b'"' + b"x" * MAX_RESULT + b'"', False),
    ],
)
def test_only_complete_answers_of_moderate_size_are_kept(result: Any, kept: bool) -> None:
    assert keepable(result) is kept


def test_the_size_limit_is_exact() -> None:
    empty = len(b'{"content":""}')

    assert keepable(b'{"content":"' + b"x" * (MAX_RESULT - empty) + b'"}')
    assert not keepable(b'{"content":"' + b"x" * (MAX_RESULT - empty + 1) + b'"}')


def ruled(**rules: Any) -> Any:
    """A server with rules by tool; `other` is for the rest."""
    other = rules.pop("other", None)
    return server(caching=Caching(tools=rules, other=other))


def test_a_tool_has_its_own_rule_in_any_spelling() -> None:
    at = ruled(listrepos=CacheRule(ttl=3600.0), other=CacheRule(ttl=60.0))

    for name in ("list_repos", "listRepos", "List-Repos"):
        assert plan(call(name, at=at), READS).ttl == 3600.0
    assert plan(call("list_issues", at=at), READS).ttl == 60.0
    assert plan(call("list_repos", at=at), READS).tag == "github.list_repos"


def test_a_tool_without_a_rule_falls_back_on_the_servers_ttl() -> None:
    tools = {"a": CacheRule(ttl=1.0)}
    whole = Caching(tools=tools, other=CacheRule(ttl=5.0))

    assert plan(call("b", at=server(caching=whole)), READS).ttl == 5.0
    assert plan(call("b", at=server(caching=Caching(tools=tools))), READS).key is None


def test_a_tool_with_no_time_to_live_is_not_kept() -> None:
    at = ruled(a=CacheRule(ttl=0.0), other=CacheRule(ttl=300.0))

    assert plan(call("a", at=at), READS).key is None


def test_user_specific_answers_have_an_owner_in_their_key() -> None:
    at = ruled(other=CacheRule(ttl=60.0, scope=Scope.USER))

    alices, bobs = (plan(call("x", at=at, by=person(name)), READS) for name in ("alice", "bob"))

    assert (alices.owner, bobs.owner) == ("u-alice", "u-bob")
    assert alices.key != bobs.key


@pytest.mark.parametrize(
    ("vary", "differ"),
    [
        (Vary.USER, {"alice", "bob", "roles", "groups"}),
        (Vary.ROLES, {"roles"}),
        (Vary.GROUPS, {"groups"}),
        (Vary.CLIENT, {"client"}),
    ],
)
def test_answers_vary_on_what_the_rule_names(vary: Vary, differ: set[str]) -> None:
    at = ruled(other=CacheRule(ttl=60.0, vary_on=frozenset({vary})))
    base = plan(call("x", at=at, by=person("carol")), READS).key
    others = {
        "alice": call("x", at=at, by=person("alice")),
        "bob": call("x", at=at, by=person("bob")),
        "roles": call("x", at=at, by=person("dana", "admin")),
        "groups": call("x", at=at, by=person("eve", groups=("ops",))),
        "client": call("x", at=at, by=person("carol"), client="c"),
    }

    assert {name for name, asked in others.items() if plan(asked, READS).key != base} == differ


def test_roles_and_groups_count_in_any_order() -> None:
    at = ruled(other=CacheRule(ttl=60.0, vary_on=frozenset({Vary.ROLES, Vary.GROUPS})))
    one, other = (
        plan(call("x", at=at, by=person("a", *roles, groups=groups)), READS).key
        for roles, groups in ((("r", "s"), ("p", "q")), (("s", "r"), ("q", "p")))
    )

    assert one == other


def test_roles_are_those_of_the_moment() -> None:
    at = ruled(other=CacheRule(ttl=60.0, vary_on=frozenset({Vary.ROLES})))
    phases = (Phase(ends=100.0, roles=("admin",)), Phase(begins=100.0, roles=("developer",)))
    dana = Principal(id="u-dana", email="dana@example.org", phases=phases)

    admins, developers = (plan(call("x", at=at, by=dana), READS, now).key for now in (99.9, 100.0))

    assert admins != developers
    assert developers == plan(call("x", at=at, by=person("bob", "developer")), READS, 0.0).key


def test_masked_answers_are_kept_apart() -> None:
    masked = Allow("r", "r", frozenset({"read"}), redact="no_sensitive_data")

    assert plan(call("x", at=CACHED), masked).key != plan(call("x", at=CACHED), READS).key


def test_arguments_are_kept_beside_the_answer_unless_they_are_long() -> None:
    assert findable(call("x", {"b": 1, "a": "y"})) == b'{"a":"y","b":1}'
    assert findable(call("x", {"a": "y" * MAX_ARGUMENTS})) == b""


def test_a_rule_can_lower_the_size_limit() -> None:
    assert keepable(b'{"content":[]}', 14)
    assert not keepable(b'{"content":[]}', 13)
