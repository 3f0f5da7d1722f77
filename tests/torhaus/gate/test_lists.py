"""Lists, by themselves and through the gate."""

import json

import msgspec
import pytest

from tests.torhaus.cast import (
    ALICE,
    CAROL,
    DANA,
    DAY,
    MALLORY,
    NOW,
    World,
    github,
    person,
    run,
)
from tests.torhaus.scripted import TOOLS, always, dumps, listing, text
from torhaus.gate.lists import UNREADABLE, filtered, shown
from torhaus.model.outcome import Answer, Answered, Failed, Refused
from torhaus.model.ports import Ask, Sink, UpstreamError


def only_a(name: str, hints: object) -> bool:
    return name == "a"


def test_items_that_stay_keep_their_bytes():
    result = b'{"tools":[{"name":"b"},{ "name" : "a", "x": 1e2 }],"nextCursor":"c","y":[1.0]}'

    assert filtered("tools/list", result, only_a) == (
        b'{"tools":[{ "name" : "a", "x": 1e2 }],"nextCursor":"c","y":[1.0]}'
    )


def test_a_list_that_lost_nothing_stays_as_it_is():
    result = b'{ "tools": [{"name":"a"}], "cacheScope": "private" }'

    assert filtered("tools/list", result, only_a) is result


def test_a_list_that_lost_something_is_private_where_that_is_said():
    result = b'{"tools":[{"name":"b"}],"cacheScope":"public"}'

    assert filtered("tools/list", result, only_a) == b'{"tools":[],"cacheScope":"private"}'
    assert b"cacheScope" not in filtered("tools/list", b'{"tools":[{"name":"b"}]}', only_a)


def test_annotations_are_shown_to_who_decides():
    seen: list[object] = []
    result = b'{"tools":[{"name":"a","annotations":{"readOnlyHint":true}},{"name":"b"}]}'

    filtered("tools/list", result, lambda name, hints: bool(seen.append(hints)) or True)

    assert seen == [{"readOnlyHint": True}, {}]


@pytest.mark.parametrize(
    "result",
    [b"[]", b"null", b"{}", b'{"tools":{}}', b'{"tools":[1]}', b'{"tools":[{"name":null}]}',
     b'{"tools":[{"name":"\xff"}]}', b'{"Tools":[]}', b'{"prompts":[]}'],
)  # fmt: skip
def test_what_is_no_such_list_is_refused(result: bytes):
    with pytest.raises(UNREADABLE):
        filtered("tools/list", result, lambda name, hints: True)


def test_a_nameless_tool_is_shown_only_to_who_may_use_anything():
    result = b'{"tools":[{"title":"?"}]}'

    assert shown("tools/list", result, ALICE, github(), NOW) == b'{"tools":[]}'
    assert shown("tools/list", result, DANA, github(), NOW) is result


@pytest.mark.parametrize("method", ["prompts/list", "resources/list", "resources/templates/list"])
def test_a_reader_sees_what_can_be_read_and_others_see_nothing(method: str):
    member = {"prompts/list": "prompts", "resources/list": "resources"}.get(
        method, "resourceTemplates"
    )
    result = msgspec.json.encode({member: [{"name": "x", "uri": "y"}]})

    assert shown(method, result, ALICE, github(), NOW) is result
    assert json.loads(shown(method, result, MALLORY, github(), NOW)) == {member: []}


# -- through the gate --------------------------------------------------------------------------


def names(outcome: object) -> list[str]:
    assert isinstance(outcome, Answered)
    assert outcome.answer.result is not None
    return [tool["name"] for tool in json.loads(outcome.answer.result)["tools"]]


def test_a_list_shows_each_caller_what_they_may_use():
    async def story() -> None:
        world = World()

        assert names(await world.admit(world.asking("tools/list"))) == ["list_issues"]
        assert names(await world.admit(world.asking("tools/list", by=DANA))) == [
            "list_issues",
            "create_issue",
        ]

    run(story())


def test_a_list_is_private_to_its_caller_whether_it_lost_something_or_not():
    async def story() -> None:
        world = World()
        world.upstream.script = always(
            listing(*TOOLS, resultType="complete", ttlMs=9, cacheScope="public")
        )

        mine = await world.admit(world.asking("tools/list"))
        whole = await world.admit(world.asking("tools/list", by=DANA))

        assert json.loads(mine.answer.result)["cacheScope"] == "private"  # type: ignore[union-attr]
        assert json.loads(whole.answer.result)["cacheScope"] == "private"  # type: ignore[union-attr]

    run(story())


@pytest.mark.parametrize(
    "result",
    [
        {"tools": "all"},
        {"tools": [7]},
        {"tools": [{"name": 7}]},
        {"tools": [{"name": "list_issues", "annotations": []}]},
        {"tools": None},
        {},
        [],
        "x",
    ],
)
@pytest.mark.parametrize("cursor", [{}, {"cursor": "2"}])
def test_a_list_that_cannot_be_read_is_shown_to_nobody(result: object, cursor: dict[str, str]):
    async def story() -> None:
        world = World()
        world.upstream.script = always(Answer(result=dumps(result)))

        outcome = await world.admit(world.asking("tools/list", cursor, by=DANA))

        assert isinstance(outcome, Failed)
        assert world.ledger.statuses() == ["error"]

    run(story())


@pytest.mark.parametrize(
    "raw",
    [
        b'{"tools":[{"name":"list_issues","x":1e400}]}',
        b'{"tools":[{"name":"list_issues","x":"\xff"}]}',
        b'{"tools":[{"name":"\xff"}]}',
    ],
)
def test_a_list_that_is_hardly_json_is_no_bug(raw: bytes):
    async def story() -> None:
        world = World()
        world.upstream.script = always(Answer(result=raw))

        outcome = await world.admit(world.asking("tools/list"))

        assert isinstance(outcome, Answered | Failed)
        assert len(world.ledger.noted) == 1

    run(story())


@pytest.mark.parametrize(
    ("method", "member"),
    [
        ("prompts/list", "prompts"),
        ("resources/list", "resources"),
        ("resources/templates/list", "resourceTemplates"),
    ],
)
def test_other_lists_are_empty_for_a_caller_who_may_read_none_of_it(method: str, member: str):
    async def story() -> None:
        world = World()
        world.upstream.script = always(Answer(result=dumps({member: [{"name": "x"}], "ttlMs": 1})))
        writer = person("w", "writer", "github:issues:write")

        mine = await world.admit(world.asking(method))
        theirs = await world.admit(world.asking(method, by=writer))

        assert json.loads(mine.answer.result)[member] == [{"name": "x"}]  # type: ignore[union-attr]
        assert json.loads(theirs.answer.result)[member] == []  # type: ignore[union-attr]

    run(story())


# -- what the server says of its tools ------------------------------------------------------------


def test_annotations_that_make_a_read_a_write_are_fetched_before_the_first_decision():
    async def story() -> None:
        world = World(github(classes={}))
        hint = {"name": "get_widget", "annotations": {"readOnlyHint": False}}
        world.upstream.script = always(listing(hint))

        outcome = await world.admit(world.tool("get_widget"))

        assert isinstance(outcome, Refused)
        assert [ask.method for ask in world.upstream.asked] == ["tools/list"]
        assert world.ledger.statuses() == ["denied"]

    run(story())


def test_the_decision_is_of_the_moment_the_annotations_have_come():
    async def story() -> None:
        world = World()

        async def slow(ask: Ask, sink: Sink) -> Answer:
            world.clock.turn(DAY)
            return listing(*TOOLS)

        world.upstream.script = slow

        outcome = await world.admit(world.tool("list_issues", by=CAROL))

        assert isinstance(outcome, Refused)
        assert world.upstream.calls() == []

    run(story())


def test_a_server_that_never_lists_its_tools_is_called_by_nobody():
    async def story() -> None:
        world = World()

        async def unlisted(ask: Ask, sink: Sink) -> Answer:
            if ask.method == "tools/list":
                raise UpstreamError("no list")
            return text("done")

        world.upstream.script = unlisted

        outcomes = [await world.admit(world.tool("list_issues")) for _ in range(3)]

        assert all(isinstance(each, Failed) for each in outcomes)
        assert all("github cannot answer: no list" in str(each) for each in outcomes)
        assert world.upstream.calls() == []
        assert len(world.ledger.noted) == 3

    run(story())
