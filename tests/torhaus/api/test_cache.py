"""Kept answers over the API, and `DELETE /cache/...` for scripts."""

import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, JANE, rules
from tests.torhaus.admin.test_cache import ONE, TWO, keep
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import NOW, github, run


def play_with(path: Path, story: Callable[[Counter], Awaitable[None]]) -> None:
    async def ready(at: Counter) -> None:
        at.hall.rules = rules(servers={"github": github(), "jira": github(name="jira")})
        await keep(at.hall, "github.list_issues", ONE)
        await keep(at.hall, "github.list_issues", TWO, ALICE.id)
        await keep(at.hall, "github.a/b", b"")
        await story(at)

    run(play(path, ready))


def test_the_product_texts_own_command_works(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        found = await at.ask("DELETE", "/cache/github/list_issues?repo=myorg/one", DANA)

        assert found.status == 200
        assert found.json == {"server": "github", "tool": "list_issues", "dropped": 1}

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("path", "dropped"),
    [
        ("/cache/github", 3),
        ("/api/v1/cache/github", 3),
        ("/api/v1/cache/github/list_issues", 2),
        ("/cache/github/a/b", 1),
        ("/cache/github/a%2Fb", 1),
        ("/cache/github?repo=two", 2),  # one answer's arguments are unknown
        ("/cache/jira", 0),
    ],
)
def test_server_tool_and_arguments_say_what_goes(tmp_path: Path, path: str, dropped: int) -> None:
    async def story(at: Counter) -> None:
        found = await at.ask("DELETE", path, DANA)

        assert (found.status, found.json["dropped"]) == (200, dropped)

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("who", "method", "path", "problem"),
    [
        (None, "DELETE", "/cache/github", (401, "unauthenticated")),
        (ALICE, "DELETE", "/cache/github", (403, "not_allowed")),
        (JANE, "GET", "/api/v1/cache/github", (403, "not_allowed")),
        (ALICE, "GET", "/api/v1/cache", (403, "not_allowed")),
        (BOB, "GET", "/api/v1/cache/nowhere", (403, "not_allowed")),
        (DANA, "DELETE", "/cache/nowhere", (404, "not_found")),
        (DANA, "DELETE", "/cache/github?a=1&a=2", (422, "invalid")),
        (DANA, "DELETE", "/cache/" + "x" * 65, (422, "invalid")),
        (DANA, "GET", "/api/v1/cache/github?limit=0", (422, "invalid")),
        (DANA, "GET", "/cache/github", (405, "method")),
    ],
)
def test_the_rest_is_refused(
    tmp_path: Path, who: Any, method: str, path: str, problem: tuple[int, str]
) -> None:
    async def story(at: Counter) -> None:
        found = await at.ask(method, path, who)

        assert found.status == problem[0], found
        assert who is None or found.problem == problem
        assert at.hall.cache.stats().entries == 3

    play_with(tmp_path, story)


def test_kept_answers_are_listed_without_what_they_say(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        found = await at.get("cache/github?tool=list_issues", BOB)

        assert found.status == 200
        assert {(each["key"], each["owner"]) for each in found.json} == {
            ("github.list_issues", None),
            ("github.list_issues", ALICE.id),
        }
        assert {each["arguments"] for each in found.json} == {ONE.decode(), TWO.decode()}
        assert all(set(each) == {
            "key", "arguments", "owner", "bytes", "stored", "expires"
        } for each in found.json)  # fmt: skip
        assert len((await at.get("cache/github?limit=1", BOB)).json) == 1
        at.hall.clock.turn(61.0)
        assert (await at.get("cache/github", BOB)).json == []

    play_with(tmp_path, story)


def test_stats_are_for_administrators_of_anything(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        await at.hall.cache.find(b"nothing", "github.x", NOW)

        found = await at.get("cache", JANE)

        assert found.status == 200
        assert (found.json["entries"], found.json["misses"]) == (3, 4)
        assert json.dumps(found.json).count(":") == 7

    play_with(tmp_path, story)
