"""What a server says on a client's stream."""

import json
from typing import Any

import pytest

from tests.torhaus.cast import DANA
from tests.torhaus.gate.aggregate.crowd import Crowd
from tests.torhaus.gate.aggregate.test_fronts import session
from tests.torhaus.scripted import dumps
from torhaus.gate.aggregate.fronts import Front
from torhaus.gate.aggregate.saying import Saying
from torhaus.model.views import Pick, View
from torhaus.policy.globs import compile_glob


class Ear:
    throttle = None

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.changes: list[tuple[str, str]] = []

    def opened(self) -> None:
        self.heard.append("opened")

    def tie(self) -> None:
        self.heard.append("tied")

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        self.heard.append(json.loads(data) if data else event_id)


def hear(
    message: object, *, token: bytes | None = b'"mine"', front: Front | None = None, **view: Any
) -> tuple[list[Any], list[tuple[str, str]]]:
    ear, crowd = Ear(), Crowd()
    guest = crowd.guest(DANA, View(name="v", **view), front=front)
    saying = Saying(ear, guest, "docs", lambda *said: ear.changes.append(said), token)
    saying.event(message if isinstance(message, bytes) else dumps(message))
    return ear.heard, ear.changes


def note(method: str, **params: Any) -> dict[str, Any]:
    return {"jsonrpc": "2.0", "method": method, "params": params}


def test_it_passes_on_progress_of_its_own_call_alone():
    progress = "notifications/progress"

    assert hear(note(progress, progressToken="mine"))[0]
    assert not hear(note(progress, progressToken="other"))[0]
    assert not hear(note(progress, progressToken=1), token=b'"1"')[0]
    ear = Ear()
    saying = Saying(ear, Crowd().guest(DANA), "docs", lambda *_: None, b"1")
    for step in (1, 2, 1, 3):
        saying.event(dumps(note(progress, progressToken=1, progress=step)))
    assert [each["params"]["progress"] for each in ear.heard] == [1, 2, 3]
    front = Front(session(Crowd()))
    front.tokens[b'"x"'] = "docs"
    front.tokens[b'"y"'] = "tea"
    assert hear(note(progress, progressToken="x"), token=None, front=front)[0]
    assert not hear(note(progress, progressToken="y"), token=None, front=front)[0]
    assert not hear(note(progress, progressToken="x"), token=None)[0]


@pytest.mark.parametrize(
    ("wanted", "level", "heard"),
    [(None, "debug", True), ("error", "info", False), ("error", "alert", True), ("error", 5, True)],
)
def test_it_says_no_less_grave_things_than_are_wanted(wanted: Any, level: Any, heard: bool):
    front = Front(session(Crowd()))
    front.level = wanted

    said, _ = hear(note("notifications/message", level=level, data=1, logger="l"), front=front)

    assert bool(said) is heard
    assert not said or said[0]["params"]["logger"] == "docs/l"


def test_it_tells_of_changes_to_whoever_listens():
    told = "notifications/tools/list_changed"

    assert hear(note(told)) == ([], [("docs", told)])


def test_news_of_a_resource_outside_the_view_is_none():
    updated, picks = (
        "notifications/resources/updated",
        {"docs": Pick(resources=(compile_glob("a:*"),))},
    )

    assert hear(note(updated, uri="a:b"), picks=picks)[0][0]["params"] == {"uri": "docs+a:b"}
    assert hear(note(updated, uri="c:b"), picks=picks)[0] == []
    assert hear(note(updated), picks=picks)[0] == []


@pytest.mark.parametrize(
    "message",
    [
        b"no json",
        b"[]",
        {"jsonrpc": "2.0", "id": 1, "result": {}},
        note("notifications/tasks/status"),
    ],
)
def test_what_nobody_waits_for_goes_no_further(message: object):
    assert hear(message)[0] == []


def test_an_answer_comes_once_and_from_the_server_that_was_asked():
    front = Front(session(Crowd()))
    front.detached = {b"1": "docs", b"2": "tea", b"3": "docs"}
    result = {"contents": [{"uri": "a:b"}]}

    def answered(number: int, **end: Any) -> list[Any]:
        message = {"jsonrpc": "2.0", "id": number, **end}
        return hear(message, token=None, front=front)[0]

    assert answered(1, result=result)[0]["result"] == {"contents": [{"uri": "docs+a:b"}]}
    assert answered(1, result=result) == []
    assert answered(2, result=result) == []
    assert answered(3, error={"code": 1, "message": "m"})[0]["error"]["code"] == 1


def test_priming_and_questions_pass():
    assert hear(b"")[0] == [None]
    asked, _ = hear({"jsonrpc": "2.0", "id": "th.x", "method": "roots/list"})
    assert asked == [
        {
            "jsonrpc": "2.0",
            "id": "th.x",
            "method": "roots/list",
            "params": {"_meta": {"torhaus/server": "docs"}},
        }
    ]


def test_it_slows_down_with_the_stream_it_is_on():
    ear = Ear()
    saying = Saying(ear, Crowd().guest(), "docs", lambda *said: None, None)

    saying.opened()
    saying.throttle = lambda on: None

    assert saying.throttle is ear.throttle is not None
    assert ear.heard == ["opened"]


def test_a_call_is_tied_to_the_client_itself() -> None:
    ear, crowd = Ear(), Crowd()
    saying = Saying(ear, crowd.guest(DANA, View(name="v")), "docs", lambda *_: None, None)

    saying.tie()

    assert ear.heard == ["tied"]
