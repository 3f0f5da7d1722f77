"""What is kept on one connection is heard on another at once, or a warning says that it is not."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import until
from tests.torhaus.cast import run
from tests.torhaus.store.state import requests
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import BOB, credential, person, stop
from tests.torhaus.store.state.poolers import Pooler, pooler
from torhaus.store.state.database import Database
from torhaus.store.state.listening import EVERYTHING, USUAL, Listening, Pace
from torhaus.store.state.office import StateOffice

SOON = Pace(check=0.2, echo=60.0, again=0.05, later=0.05)
DEAF = Pace(check=0.2, echo=1.0, again=0.05, later=0.05)
"""Believes that nothing comes any more: on a busy machine, sooner than is true."""


@asynccontextmanager
async def heard(
    database: Database, pace: Pace = USUAL
) -> AsyncIterator[tuple[Listening, list[str]]]:
    """Somebody who listens, and what he has heard."""
    news: list[str] = []
    ids = iter(range(10_000))
    ear = Listening(database, news.append, lambda: f"n{next(ids)}", pace)
    task = asyncio.create_task(ear.run())
    try:
        yield ear, news
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def changed(office: StateOffice) -> None:
    """Something of each kind that others must hear of."""
    async with office.write() as desk:
        await desk.credentials.add(credential(), "")
    async with office.write() as desk:
        await desk.persons.put(person())
    async with office.write() as desk:
        await desk.stops.add(stop())
    async with office.write() as desk:
        await desk.access.revoke("g1", BOB, requests.NOW)
    async with office.write() as desk:
        await desk.approvals.add(requests.approval())
        await desk.approvals.move("a1", requests.approval().state, requests.approval().state)


def test_what_others_keep_is_heard_at_once_and_what_they_take_back_never(elephant: Place) -> None:
    async def story() -> None:
        async with elephant.open() as other, elephant.open() as own, heard(own) as (ear, news):
            await until(lambda: ear.hears)
            assert news == [EVERYTHING]
            with pytest.raises(ZeroDivisionError):
                await taken_back(StateOffice(other))

            await changed(StateOffice(other))

            await until(lambda: len(news) == 6)
            assert news[1:] == ["credentials", "people", "stops", "grants", "approvals"]

    run(story())


async def taken_back(office: StateOffice) -> None:
    async with office.write() as desk:
        await desk.stops.add(stop())
        raise ZeroDivisionError


def test_a_line_that_is_lost_is_opened_anew_and_everything_is_looked_at(
    elephant: Place,
) -> None:

    async def story() -> None:
        async with elephant.open(), through(elephant) as (way, own):
            way.passes = True
            async with heard(own, SOON) as (ear, news):
                await until(lambda: ear.hears)

                way.cut()

                await until(lambda: news == [EVERYTHING, EVERYTHING])
                assert ear.hears

    run(story())


def test_behind_a_pooler_that_passes_nothing_on_it_is_said_once_and_tried_later(
    elephant: Place,
) -> None:

    async def story() -> None:
        async with elephant.open(), through(elephant) as (way, own):
            with capture_logs() as logs:
                async with heard(own, DEAF) as (ear, news):
                    await until(lambda: way.kept >= 3)
                    assert (ear.hears, news) == (False, [])

                    way.passes = True
                    await until(lambda: ear.hears)
            assert [each["event"] for each in logs] == ["state.deaf", "state.listening"]
            assert logs[0]["log_level"] == "warning"

    run(story())


def test_a_line_on_which_nothing_comes_any_more_is_noticed(elephant: Place) -> None:

    async def story() -> None:
        async with elephant.open(), through(elephant) as (way, own):
            way.passes = True
            async with heard(own, DEAF) as (ear, news):
                await until(lambda: ear.hears)
                way.passes = False
                await until(lambda: not ear.hears)
                way.passes = True

                await until(lambda: news.count(EVERYTHING) > 1)

    run(story())


def test_a_database_that_does_not_answer_is_not_called_deaf(tmp_path: Path) -> None:
    async def story() -> None:
        database = Database("postgresql://nobody@127.0.0.1:1/none", tmp_path, 0.2)
        await database.connect()
        with capture_logs() as logs:
            async with heard(database) as (ear, _):
                await until(lambda: database.trouble is not None)
                assert not ear.hears
        await database.close()
        assert logs == []

    run(story())


@asynccontextmanager
async def through(place: Place) -> AsyncIterator[tuple[Pooler, Database]]:
    """The same database, behind a pooler that knows no TLS."""
    assert place.url is not None
    server, _, name = place.url.rpartition("/")
    async with pooler(server) as way:
        database = Database(f"{way.url}/{name}?sslmode=disable", place.home, connections=3)
        await database.connect()
        try:
            yield way, database
        finally:
            await database.close()
