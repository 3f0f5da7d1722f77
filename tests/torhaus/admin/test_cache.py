"""Forgetting kept answers by hand."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, CAROL, DANA, JANE, Hall, play, rules
from tests.torhaus.cast import NOW, github, run
from torhaus.admin.cache import MAX_WHERE, PurgeCache, Purged
from torhaus.model.people import Principal
from torhaus.model.ports import Entry, Miss
from torhaus.model.servers import Era

ONE, TWO = b'{"repo":"myorg/one"}', b'{"repo":"myorg/two"}'


async def keep(hall: Hall, tag: str, arguments: bytes, owner: str | None = None) -> None:
    found = await hall.cache.find(tag.encode() + arguments, tag, NOW)
    assert isinstance(found, Miss)
    entry = Entry(
        result=b"{}",
        era=Era.MODERN,
        stored=NOW,
        expires=NOW + 60.0,
        arguments=arguments,
        owner=owner,
    )
    assert await hall.cache.keep(tag.encode() + arguments, entry, tag, found.stamp)


def play_with(path: Path, story: Callable[[Hall], Awaitable[None]]) -> None:
    async def ready(hall: Hall) -> None:
        hall.rules = rules(servers={"github": github(), "jira": github(name="jira")})
        for arguments in (ONE, TWO):
            await keep(hall, "github.list_issues", arguments)
        await keep(hall, "github.get_issue", ONE, ALICE.id)
        await keep(hall, "jira.list_issues", ONE)
        await story(hall)

    run(play(path, ready))


@pytest.mark.parametrize(
    ("act", "dropped"),
    [
        (PurgeCache("github"), 3),
        (PurgeCache("github", "list_issues"), 2),
        (PurgeCache("github", "List-Issues"), 2),
        (PurgeCache("github", "list_issues", {"repo": "myorg/one"}), 1),
        (PurgeCache("github", None, {"repo": "one"}), 2),
        (PurgeCache("github", "nothing"), 0),
    ],
)
def test_what_is_named_is_forgotten(tmp_path: Path, act: PurgeCache, dropped: int) -> None:
    async def story(hall: Hall) -> None:
        done = await hall.done(DANA, act)

        assert done == Purged(act.server, act.tool, dropped)
        assert hall.cache.stats().entries == 4 - dropped

    play_with(tmp_path, story)


def test_a_purge_leaves_a_record(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hall.done(BOB, PurgeCache("github", "list_issues", {"repo": "myorg/one"}))

        assert hall.ends()[-1] == ("cache.purged", BOB.email, "success")
        assert hall.parameters() == {
            "tool": "list_issues",
            "where": {"repo": "myorg/one"},
            "before": {"kept": 1},
            "after": {"dropped": 1},
        }
        assert hall.ledger.durable[-1].mcp_server == "github"

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("actor", "act", "code"),
    [
        (ALICE, PurgeCache("github"), "not_allowed"),
        (CAROL, PurgeCache("jira"), "not_allowed"),
        (JANE, PurgeCache("github"), "not_allowed"),
        (BOB, PurgeCache("nowhere"), "not_allowed"),
        (DANA, PurgeCache("nowhere"), "not_found"),
        (DANA, PurgeCache("*"), "not_found"),
        (DANA, PurgeCache("github.list_issues"), "not_found"),
        (DANA, PurgeCache("github", None, {str(n): "" for n in range(MAX_WHERE + 1)}), "invalid"),
    ],
)
def test_who_may_not_forgets_nothing_and_is_recorded(
    tmp_path: Path, actor: Principal, act: PurgeCache, code: str
) -> None:
    async def story(hall: Hall) -> None:
        refused = await hall.refused(actor, act)

        assert refused.code == code
        assert hall.cache.stats().entries == 4
        assert hall.ends()[-1] == ("cache.purged", actor.email, "denied")

    play_with(tmp_path, story)


def test_monstrous_words_are_cut_in_the_record(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hall.done(DANA, PurgeCache("github", "t" * 5000, {"a" * 5000: "b" * 5000}))

        found = hall.parameters()
        assert len(found["tool"]) == 128
        ((name, value),) = found["where"].items()
        assert (len(name), len(value)) == (128, 256)

    play_with(tmp_path, story)
