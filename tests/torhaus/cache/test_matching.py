from typing import Any

import msgspec
import pytest

from torhaus.cache.matching import covers, under
from torhaus.model.caching import Selector


def text(arguments: Any) -> bytes:
    return msgspec.json.encode(arguments)


@pytest.mark.parametrize(
    ("wide", "tag", "meant"),
    [
        ("github", "github.list_issues", True),
        ("github.list_issues", "github.list_issues", True),
        ("github.listIssues", "github.list_issues", True),
        ("github.list", "github.list_issues", False),
        ("github.list_issues", "github.list", False),
        ("git", "github.list_issues", False),
        ("sentry.list_issues", "github.list_issues", False),
        ("github.a.b", "github.a.b", True),
        ("github.a", "github.a.b", False),
    ],
)
def test_a_tag_means_a_server_or_one_tool_in_any_spelling(wide: str, tag: str, meant: bool) -> None:
    assert under(wide, tag) is meant


@pytest.mark.parametrize(
    ("where", "arguments", "meant"),
    [
        ({"repo": "myorg/api"}, {"repo": "myorg/api"}, True),
        ({"repo": "myorg/api"}, {"repo": "MyOrg/API"}, True),
        ({"repo": "myorg/api"}, {"owner": "myorg", "repo": "api"}, True),
        ({"repo": "myorg/api"}, {"owner": "other", "repo": "api"}, False),
        ({"repo": "myorg/api"}, {"owner": "myorg", "repo": "web"}, False),
        ({"repo": "myorg/api"}, {"repo": "api"}, True),
        ({"repo": "api"}, {"repo": "myorg/api"}, True),
        ({"repo": "api"}, {"repo": "myorg/rapi"}, False),
        ({"repo": "myorg/api"}, {"query": "bug"}, True),
        ({"repo": "myorg/api"}, {"repo": None}, True),
        ({"repo": "myorg/api"}, {"repo": ["myorg/web", "myorg/api"]}, True),
        ({"repo": "myorg/api"}, {"repo": ["myorg/web"]}, False),
        ({"issue": "7"}, {"issue": 7}, True),
        ({"issue": "7"}, {"issue": 7.0}, True),
        ({"issue": "7"}, {"issue": 7.5}, False),
        ({"issue": "7"}, {"issue": 8}, False),
        ({"repo": "myorg/api"}, {"repo": "https://github.com/MyOrg/api.git/"}, True),
        ({"repo": "myorg/api.git"}, {"repo": " myorg/api "}, True),
        ({"repo": "myorg/api"}, {"repo": {"owner": "myorg", "name": "web"}}, True),
        ({"repo": "myorg/api"}, {"repo": [["myorg/web"]]}, True),
        ({"repo": "myorg/api"}, {"repo": []}, True),
        ({"flag": "true"}, {"flag": True}, True),
        ({"flag": "true"}, {"flag": False}, False),
        ({"issue": "7", "repo": "a"}, {"issue": 7, "repo": "a"}, True),
        ({"issue": "7", "repo": "a"}, {"issue": 7, "repo": "b"}, False),
        ({}, {"issue": 7}, True),
    ],
)
def test_an_answer_is_meant_by_the_arguments_of_its_question(
    where: dict[str, str], arguments: Any, meant: bool
) -> None:
    selector = Selector(tag="github.x", where=tuple(where.items()))

    assert covers(selector, "github.x", text(arguments), None) is meant


@pytest.mark.parametrize("arguments", [b"", b"{"])
def test_an_answer_whose_question_is_not_known_is_meant(arguments: bytes) -> None:
    assert covers(Selector(tag="s", where=(("a", "b"),)), "s.x", arguments, None)


def test_an_owner_means_their_own_answers_only() -> None:
    selector = Selector(tag="s", owner="u-alice")

    found = [covers(selector, "s.x", b"{}", owner) for owner in ("u-alice", "u-bob", None)]

    assert found == [True, False, False]
