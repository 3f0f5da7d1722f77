"""Connecting and leaving at once, where transactions really run beside each other."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, hall, rules
from tests.torhaus.admin.test_connections import CONNECTED
from tests.torhaus.admin.vaulted import personal, rows
from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import CannotRunError, Place, postgres
from torhaus.admin.connections import KeepConnection, Wish
from torhaus.admin.people.acts import OffboardPerson
from torhaus.admin.wallet import Purse
from torhaus.model.person import Person, PersonState
from torhaus.model.vault import Content

TIMES = 6


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    try:
        with postgres() as url:
            yield url
    except CannotRunError as error:
        pytest.skip(str(error))


def play(server: str, home: Path, story: Callable[[Hall], Any]) -> None:
    async def begun() -> None:
        place = Place(home, server)
        await place.database()
        async with hall(home, place.url) as made:
            made.rules = rules(servers={"github": personal()})
            await story(made)

    run(begun())


async def back(at: Hall, email: str) -> None:
    """As if he had never left; the rules have him all the time."""
    async with at.office.write() as desk:
        await desk.persons.put(Person(email=email, state=PersonState.ACTIVE, owner="file"))


def keep(email: str) -> KeepConnection:
    return KeepConnection(wish=Wish("github", email), connected=CONNECTED)


def test_who_leaves_while_he_connects_leaves_nothing(server: str, tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        for _ in range(TIMES):
            await back(at, BOB.email)

            await asyncio.gather(
                at.admin.perform(BOB, keep(BOB.email)),
                at.admin.perform(DANA, OffboardPerson(BOB.email, "left")),
            )

            assert await rows(at) == []

    play(server, tmp_path, story)


def test_a_refresh_that_ends_while_he_leaves_brings_nothing_back(
    server: str, tmp_path: Path
) -> None:
    async def story(at: Hall) -> None:
        purse = Purse(at.means, at.safe, lambda *_: None)
        for _ in range(TIMES):
            await back(at, BOB.email)
            await at.done(BOB, keep(BOB.email))
            (held,) = await purse.look("github", BOB.email)
            assert await purse.claim(held)

            await asyncio.gather(
                purse.refreshed(held, Content(value="late"), 1e12),
                at.admin.perform(DANA, OffboardPerson(BOB.email, "left")),
            )

            assert await rows(at) == []
            assert await purse.look("github", BOB.email) == ()

    play(server, tmp_path, story)


def test_many_who_change_the_same_credentials_wait_for_each_other(
    server: str, tmp_path: Path
) -> None:
    """Rows were locked in another order by each, and databases end such transactions."""

    async def story(at: Hall) -> None:
        purse = Purse(at.means, at.safe, lambda *_: None)
        await at.done(ALICE, keep(ALICE.email))

        async def refresh() -> None:
            for held in await purse.look("github", ALICE.email):
                content = msgspec.structs.replace(held.content, value="fresh")
                await purse.refreshed(held, content, 1e12)

        for _ in range(TIMES):
            acts = (at.admin.perform(ALICE, keep(ALICE.email)) for _ in range(3))
            await asyncio.gather(*acts, refresh(), refresh())

        (kept,) = await rows(at)
        assert at.safe.opened(kept).value in ("fresh", CONNECTED.content.value)

    play(server, tmp_path, story)
