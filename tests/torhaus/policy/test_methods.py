from typing import Any

import pytest

from torhaus.policy.methods import EXTENSION, LISTEN, NEEDS, OPEN, Need, need, uris


def test_no_method_is_both_open_and_needing() -> None:
    assert OPEN.isdisjoint(NEEDS)


@pytest.mark.parametrize("method", ["initialize", "tools/list", "notifications/cancelled"])
def test_open_methods_need_nothing_of_their_own(method: str) -> None:
    assert need(method, {}) is None


@pytest.mark.parametrize(
    "method",
    ["", "x", "resources/Read", "notifications", "tools/call", "notifications/x", "tasks/get"],
)
def test_a_method_nobody_knows_is_an_extension(method: str) -> None:
    assert need(method, {}) == EXTENSION


def test_a_completion_reads_what_it_refers_to() -> None:
    asked = "completion/complete"

    assert need(asked, {"ref": {"type": "ref/prompt"}}) == Need("read", "prompts")
    assert need(asked, {"ref": {"type": "ref/resource"}}) == Need("read", "resources")
    assert need(asked, {"ref": {"type": "ref/else"}}) == Need("read", "*")
    assert need(asked, {}) == Need("read", "*")


READS = Need("read", "resources")


@pytest.mark.parametrize(
    ("params", "found"),
    [
        ({}, ()),
        ({"notifications": {"toolsListChanged": True}}, ()),
        ({"notifications": {"resourceSubscriptions": []}}, ()),
        ({"notifications": {"resourceSubscriptions": None}}, ()),
        ({"notifications": {"taskIds": []}}, ()),
        ({"notifications": {"resourceSubscriptions": ["a", "b"]}}, ("a", "b")),
        ({"notifications": {"RESOURCESUBSCRIPTIONS": ["a"]}}, ("a",)),
        ({"Notifications": {"resourceSubscriptions": ["a"]}}, ("a",)),
        ({"resourceSubscriptions": ["a"]}, ("a",)),
        ({"notifications": {"resourceSubscriptions": "a"}}, ("a",)),
        ({"notifications": {"resourceSubscriptions": [7]}}, (7,)),
        ({"notifications": ["a"]}, ("a",)),
        ({"filter": {"resourceSubscriptions": ["a"]}}, ("a",)),
        ({"Subscriptions": {"resourceSubscriptions": ["a"]}}, ("a",)),
        ({"subscriptions": "abc"}, ("abc",)),
        ({"else": {"resourceSubscriptions": ["a"]}}, ()),
    ],
)
def test_who_listens_for_resources_reads_them(
    params: dict[str, Any], found: tuple[object, ...]
) -> None:
    assert uris(LISTEN, params) == found
    assert need(LISTEN, params) == (READS if found else None)


def test_requests_about_a_resource_name_it() -> None:
    for method in ("resources/read", "resources/subscribe", "resources/unsubscribe"):
        assert uris(method, {"uri": "a"}) == ("a",)
        assert uris(method, {}) == (None,)
    assert uris("prompts/get", {"uri": "a"}) is None
    assert uris("acme/extension", {"uri": "a"}) is None


@pytest.mark.parametrize("filters", ["notifications", "Filter", "subscriptions"])
def test_news_that_only_an_extension_knows_need_what_it_needs(filters: str) -> None:
    """A task is read with tasks/get, which nobody may without a permission for everything."""
    asked = {"toolsListChanged": True, "resourceSubscriptions": ["a"]}

    assert need(LISTEN, {filters: asked}) == READS
    assert need(LISTEN, {filters: {**asked, "taskIds": ["1"]}}) == EXTENSION
    assert need(LISTEN, {filters: {**asked, "taskIds": []}}) == READS
