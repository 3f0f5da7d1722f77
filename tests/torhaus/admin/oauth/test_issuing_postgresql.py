"""What many do at once, where transactions really run beside each other."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.admin.oauth.lobby import CURSOR, Lobby
from tests.torhaus.admin.oauth.lobby import play as play_lobby
from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import CannotRunError, Place, postgres
from torhaus.admin.oauth.acts import Denied
from torhaus.admin.oauth.tokens import Tokened


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    try:
        with postgres() as url:
            yield url
    except CannotRunError as error:
        pytest.skip(str(error))


def play(server: str, home: Path, story: Callable[[Lobby], Any]) -> None:
    async def begun() -> None:
        place = Place(home, server)
        await place.database()
        await play_lobby(home, story, place.url)

    run(begun())


def test_of_many_exchanges_at_once_one_gives_tokens_and_nothing_lives(
    server: str, tmp_path: Path
) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        await at.consent()

        found = await asyncio.gather(*(at.exchange() for _ in range(8)))

        given = [each for each in found if isinstance(each, Tokened)]
        assert len(given) <= 1
        async with at.hall.office.read() as desk:
            assert await desk.credentials.live(at.hall.clock()) == []

    play(server, tmp_path, story)


def test_of_many_refreshes_at_once_all_get_the_same_pair(server: str, tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        first = await at.begun()

        found = await asyncio.gather(*(at.refresh(first.refresh) for _ in range(8)))

        assert len({(each.access, each.refresh) for each in found}) == 1
        async with at.hall.office.read() as desk:
            living = await desk.credentials.live(at.hall.clock())
        assert len(living) == 2

    play(server, tmp_path, story)


def test_no_token_outlives_a_consent_that_ends_while_it_is_made(
    server: str, tmp_path: Path
) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        for number in range(6):
            done = await at.consent(code=f"code-{number}")
            family = done.result.id  # type: ignore[union-attr]

            async def end(id: str = family) -> None:
                async with at.hall.office.write() as desk:
                    await desk.families.end(id, ALICE.email, "", at.hall.clock())

            found, _ = await asyncio.gather(at.exchange(f"code-{number}"), end())

            assert isinstance(found, Tokened | Denied)
            async with at.hall.office.read() as desk:
                assert await desk.credentials.live(at.hall.clock()) == []

    play(server, tmp_path, story)
