"""What of a listener's filter could be granted, server by server."""

from typing import Any

import pytest

from tests.torhaus.gate.aggregate.crowd import Crowd
from tests.torhaus.gate.aggregate.test_following_tasks import ABLE
from torhaus.gate.aggregate.wishes import MAX_TASKS, MAX_URIS, Wish, wished
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.model.views import EVERYTHING, WHOLE, View


def wish(notifications: Any, view: View = EVERYTHING, meta: Any = ABLE) -> Wish:
    params = {"notifications": notifications, "_meta": meta}
    request = Request(b"1", "subscriptions/listen", params, encode(params))
    return wished(Crowd().guest(view=view), request)


def test_what_is_asked_for_is_sorted_by_server():
    asked = {
        "toolsListChanged": True,
        "promptsListChanged": 1,
        "somethingElse": True,
        "resourceSubscriptions": ["docs+x://a", "tea+x://b", "x://c", 7],
        "taskIds": ["docs+one", "docs+two", "docs+one", "tea+one", "one", None],
    }

    assert wish(asked) == Wish(
        kinds=frozenset({"toolsListChanged"}),
        uris={"docs": frozenset({"x://a"}), "tea": frozenset({"x://b"})},
        tasks={"docs": ("one", "two"), "tea": ("one",)},
    )


@pytest.mark.parametrize("asked", [None, 7, [], {"taskIds": "docs+x"}, {"taskIds": {"a": 1}}])
def test_what_is_no_filter_asks_for_nothing(asked: Any):
    assert wish(asked, meta={}) == Wish()


def test_a_view_shows_what_it_picks():
    desk = View(name="desk", picks={"docs": WHOLE})
    asked = {"resourceSubscriptions": ["docs+x://a", "tea+x://b"], "taskIds": ["docs+1", "tea+1"]}

    found = wish(asked, desk)

    assert (set(found.uris), set(found.tasks)) == ({"docs"}, {"docs"})


def test_nobody_asks_for_more_than_can_be_looked_after():
    asked = {
        "resourceSubscriptions": [f"docs+x://{n}" for n in range(MAX_URIS + 1)],
        "taskIds": [f"docs+{n}" for n in range(MAX_TASKS + 1)],
    }

    found = wish(asked)

    assert len(found.uris["docs"]) == MAX_URIS
    assert len(found.tasks["docs"]) == MAX_TASKS


def test_news_of_tasks_are_for_clients_that_take_tasks():
    with pytest.raises(CallerError, match="that declare the extension"):
        wish({"taskIds": ["docs+1"]}, meta={})
