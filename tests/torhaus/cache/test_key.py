import itertools
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torhaus.asked import call, server
from torhaus.cache.key import LONGEST, canonical, counting, key
from torhaus.model.caching import CacheRule
from torhaus.model.servers import HttpAddress, Server, StdioAddress

JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"]), max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"]), max_size=3), inner)
    ),
    max_leaves=8,
)


def same(one: Any, other: Any) -> bool:
    """Equal as typed JSON: the naive oracle."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return repr(one) == repr(other)


@given(JSON, JSON)
def test_texts_are_equal_exactly_when_values_are(one: Any, other: Any) -> None:
    assert (canonical(one) == canonical(other)) == same(one, other)


@given(JSON)
def test_the_order_of_keys_does_not_count(value: Any) -> None:
    again = msgspec.json.decode(msgspec.json.encode({"b": 1, "a": value, "c": None}))
    turned = {name: again[name] for name in reversed(again)}

    assert canonical(turned) == canonical({"a": value, "b": 1, "c": None})


@given(JSON)
def test_the_text_reads_back_as_the_value(value: Any) -> None:
    assert same(msgspec.json.decode(canonical(value)), value)


def test_near_misses_differ() -> None:
    near = [1, 1.0, "1", True, "true", [1], {"1": 1}, None, "null", 0, -0.0, 0.0, "", " ", [], {}]
    near += ["é", "e\N{COMBINING ACUTE ACCENT}", 10**30, 1e30, [[1], 2], [1, [2]], {"a": None}]

    assert len({canonical(value) for value in near}) == len(near)


@pytest.mark.parametrize(
    "value", [float("inf"), [float("nan")], {"a": [float("-inf")]}, "\ud800", {1: 2}, object()]
)
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="JSON"):
        canonical(value)


def test_a_bottomless_value_is_refused() -> None:
    value: list[Any] = []
    for _ in range(100_000):
        value = [value]

    with pytest.raises(ValueError, match="JSON"):
        canonical(value)


def test_whatever_an_answer_depends_on_is_in_the_key() -> None:
    url = HttpAddress(url="http://127.0.0.1:9000/mcp")
    servers: list[Server] = [
        server(),
        server("sentry"),
        server(environment="production"),
        server(environment=""),
        server(credential="c1"),
        server(address=HttpAddress(url="http://127.0.0.1:9001/mcp")),
        server(address=StdioAddress(command=url.url)),
        server(address=StdioAddress(command="a", args=("b",))),
        server(address=StdioAddress(command="a", args=("b",), cwd="c")),
        server(address=StdioAddress(command="a", args=("b", "c"))),
    ]
    asked = [call("list_issues", {"a": 1}, at=one) for one in servers]
    asked += [call("list_tags", {"a": 1}), call("list_issues", {"a": 2}), call("list_issues")]

    keys = [key(one) for one in asked]

    assert all(len(one) <= LONGEST for one in keys)
    assert all(one != other for one, other in itertools.combinations(keys, 2))


def test_long_arguments_make_short_keys_that_still_differ() -> None:
    long = [call("search", {"q": "x" * 1000 + end}) for end in ("a", "b")]

    keys = [key(one) for one in long]

    assert len({*keys}) == 2
    assert {len(one) for one in keys} == {33}


def test_no_part_of_a_call_can_pass_for_another() -> None:
    asked = [
        call("a", {}, at=server("s", credential='c","x')),
        call('x","a', {}, at=server("s", credential="c")),
        call("a", {}, at=server("s", environment="c", credential="")),
        call("a", {}, at=server("s", environment=None, credential="c")),
    ]

    assert len({key(one) for one in asked}) == 4
    assert key(call("a"), None, [["user", "u"]]) != key(call("a"), None, [["roles", "u"]])


@pytest.mark.parametrize(
    ("rule", "left"),
    [
        (CacheRule(ttl=1.0), {"a": 1, "b": 2, "c": 3}),
        (CacheRule(ttl=1.0, ignore=frozenset("a")), {"b": 2, "c": 3}),
        (CacheRule(ttl=1.0, only=frozenset("ab")), {"a": 1, "b": 2}),
        (CacheRule(ttl=1.0, only=frozenset("ab"), ignore=frozenset("a")), {"b": 2}),
        (CacheRule(ttl=1.0, only=frozenset()), {}),
    ],
)
def test_a_rule_says_which_arguments_tell_calls_apart(
    rule: CacheRule, left: dict[str, int]
) -> None:
    assert counting({"a": 1, "b": 2, "c": 3}, rule) == left
    assert (key(call("x", {"a": 1}), rule) == key(call("x", {"a": 2}), rule)) is ("a" not in left)
