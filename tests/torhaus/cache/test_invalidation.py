from typing import Any

import pytest

from tests.torhaus.asked import call, server
from torhaus.cache.invalidation import filled, invalidations
from torhaus.model.caching import Caching, Invalidation, Selector

REPO = (("repo", "{owner}/{repo}"),)
AT = server(
    caching=Caching(
        triggers={
            "createissue": (
                Invalidation(tag="github.list_issues", where=REPO),
                Invalidation(tag="github.get_repo_stats"),
            )
        }
    )
)


@pytest.mark.parametrize("name", ["create_issue", "createIssue"])
def test_a_write_names_what_it_makes_untrue(name: str) -> None:
    asked = call(name, {"owner": "myorg", "repo": "api", "title": "t"}, at=AT)

    assert invalidations(asked) == (
        Selector(tag="github.list_issues", where=(("repo", "myorg/api"),)),
        Selector(tag="github.get_repo_stats"),
    )


@pytest.mark.parametrize("asked", [call("list_issues", at=AT), call("create_issue")])
def test_other_calls_name_nothing(asked: Any) -> None:
    assert invalidations(asked) == ()


def test_a_prompt_of_the_same_name_is_no_trigger() -> None:
    assert invalidations(call("create_issue", at=AT, method="prompts/get")) == ()


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{owner}/{repo}", "myorg/7"),
        ("fixed", "fixed"),
        ("{missing}", None),
        ("{owner}/{missing}", None),
        ("{list}", None),
        ("{flag}", None),
        ("{nothing}", None),
    ],
)
def test_templates_are_filled_or_ask_for_nothing(template: str, text: str | None) -> None:
    arguments = {"owner": "myorg", "repo": 7, "list": ["a"], "flag": True, "nothing": None}

    found = filled((("a", template),), arguments)

    assert found == (() if text is None else (("a", text),))


def test_an_argument_is_put_in_as_it_is() -> None:
    assert filled((("a", "{x}"),), {"x": "{y}", "y": "z"}) == (("a", "{y}"),)
