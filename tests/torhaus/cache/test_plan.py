from typing import Any

import pytest

from tests.torhaus.policy.people import alice, call, server
from torhaus.cache.plan import MAX_RESULT, Plan, keepable, plan
from torhaus.model.call import Call
from torhaus.model.verdict import Allow

CACHED = server(cache_ttl=300.0)
READS = Allow("r", "r", frozenset({"read"}))


def planned(asked: Call, *actions: str) -> Plan:
    return plan(asked, Allow("r", "r", frozenset(actions)))


def test_a_read_on_a_cached_server_is_kept() -> None:
    found = planned(call("list_issues", at=CACHED), "read")

    assert found.key is not None
    assert (found.ttl, found.tag) == (300.0, "github.list_issues")


@pytest.mark.parametrize("actions", [(), ("write",), ("read", "write"), ("unknown",)])
def test_only_what_reads_and_nothing_else_is_kept(actions: tuple[str, ...]) -> None:
    assert planned(call("x", at=CACHED), *actions).key is None


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
    bob = alice("github:*")

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
