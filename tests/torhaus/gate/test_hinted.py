"""Lists and contents that their server allows to be kept."""

import json
from typing import Any

import pytest

from tests.torhaus.cast import ALICE, DANA, MALLORY, World, github, person, run
from tests.torhaus.scripted import TOOLS, dumps, note
from torhaus.gate.hinted import outdated
from torhaus.model.caching import Caching, Selector
from torhaus.model.outcome import Answer, Answered, Outcome, Refused, Served
from torhaus.model.people import Principal

READ = {"uri": "repo://a/b"}
ELLA = person("ella", "admin", "*")


def world() -> World:
    return World(github(caching=Caching())).knows_the_tools()


def says(made: World, body: dict[str, Any], *, ttl: object, scope: str = "public") -> None:
    hints = {} if ttl is None else {"ttlMs": ttl, "cacheScope": scope}
    answer = Answer(result=dumps({**body, "resultType": "complete", **hints}))

    async def script(ask: Any, sink: Any) -> Answer:
        return answer

    made.upstream.script = script


async def read(made: World, by: Principal = DANA, **more: Any) -> Outcome:
    return await made.admit(made.asking("resources/read", READ, by=by, **more))


async def listed(made: World, by: Principal, **params: Any) -> Outcome:
    return await made.admit(made.asking("tools/list", params, by=by))


def result(outcome: Outcome) -> Any:
    assert isinstance(outcome, Answered), outcome
    return json.loads(outcome.answer.result or b"")


def hit(outcome: Outcome) -> bool:
    assert isinstance(outcome, Answered), outcome
    assert outcome.cached == (outcome.served is Served.HIT)
    return outcome.cached


def test_contents_are_kept_as_long_as_their_server_says() -> None:
    async def story() -> None:
        made = world()
        says(made, {"contents": []}, ttl=60_000)
        first = await read(made)
        made.clock.turn(59.0)
        second = await read(made)
        made.clock.turn(1.0)
        third = await read(made)

        assert [hit(each) for each in (first, second, third)] == [False, True, False]
        assert result(second)["ttlMs"] == 1000

    run(story())


@pytest.mark.parametrize("ttl", [None, 0, -1, "60000", True, 1e400])
def test_what_does_not_say_so_is_not_kept(ttl: object) -> None:
    async def story() -> None:
        made = world()
        says(made, {"contents": []}, ttl=ttl if ttl != 1e400 else "Infinity")

        assert [hit(await read(made)) for _ in range(2)] == [False, False]

    run(story())


@pytest.mark.parametrize(("scope", "shared"), [("public", True), ("private", False), ("", False)])
def test_private_contents_are_for_who_asked(scope: str, shared: bool) -> None:
    async def story() -> None:
        made = world()
        says(made, {"contents": []}, ttl=60_000, scope=scope)
        await read(made)

        assert hit(await read(made))
        assert hit(await read(made, ELLA)) == shared

    run(story())


def test_a_kept_list_shows_each_caller_what_he_may_use() -> None:
    async def story() -> None:
        made = world()
        says(made, {"tools": TOOLS}, ttl=60_000)
        everything = await listed(made, DANA)

        seen = await listed(made, ALICE)

        assert [tool["name"] for tool in result(everything)["tools"]] == [
            "list_issues",
            "create_issue",
        ]
        assert hit(seen)
        assert [tool["name"] for tool in result(seen)["tools"]] == ["list_issues"]

    run(story())


def test_pages_are_kept_apart() -> None:
    async def story() -> None:
        made = world()
        says(made, {"tools": TOOLS}, ttl=60_000)
        await listed(made, DANA)

        assert not hit(await listed(made, DANA, cursor="2"))
        assert hit(await listed(made, DANA, cursor="2"))

    run(story())


def test_who_may_not_is_refused_before_anybody_looks() -> None:
    async def story() -> None:
        made = world()
        says(made, {"contents": []}, ttl=60_000)
        await read(made)

        assert isinstance(await read(made, MALLORY), Refused)

    run(story())


def test_the_other_era_asks_for_itself() -> None:
    async def story() -> None:
        made = world()
        says(made, {"contents": []}, ttl=60_000)
        await read(made)

        assert not hit(await read(made, session=made.session(DANA)))
        assert hit(await read(made))

    run(story())


@pytest.mark.parametrize(
    ("notice", "tags"),
    [
        (note("notifications/tools/list_changed"), ["github.tools/list"]),
        (note("notifications/prompts/list_changed"), ["github.prompts/list"]),
        (
            note("notifications/resources/list_changed"),
            ["github.resources/list", "github.resources/templates/list"],
        ),
        (note("notifications/progress", {}), []),
        (note("sampling/createMessage", {}, id=1), []),
    ],
)
def test_a_change_makes_lists_untrue(notice: Any, tags: list[str]) -> None:
    assert [each.tag for each in outdated("github", notice)] == tags


def test_an_update_makes_one_content_untrue_and_all_when_it_names_none() -> None:
    method = "notifications/resources/updated"

    one = outdated("github", note(method, {"uri": "repo://a"}))
    odd: tuple[object, ...] = ({}, {"uri": 5}, [], None)
    every = [outdated("github", note(method, params)) for params in odd]

    assert one == (Selector(tag="github.resources/read", where=(("uri", "repo://a"),)),)
    assert every == [(Selector(tag="github.resources/read"),)] * 4
