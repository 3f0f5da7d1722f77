"""Lines to a PostgreSQL that may not answer."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.torhaus.cast import run
from tests.torhaus.store.state.elephants import CannotRunError, Elephant
from torhaus.store.state.line import Line, Lines, takes_changes, took_too_long

PATIENCE = 3.0


@pytest.fixture(scope="module")
def elephant() -> Iterator[Elephant]:
    try:
        with Elephant() as one:
            yield one
    except CannotRunError as error:
        pytest.skip(str(error))


@asynccontextmanager
async def opened(elephant: Elephant, most: int = 2) -> AsyncIterator[Lines]:
    engine = create_async_engine(
        f"{elephant.url}/postgres".replace("postgresql", "postgresql+asyncpg"),
        pool_size=most,
        max_overflow=0,
        pool_timeout=PATIENCE * 0.9,
        pool_pre_ping=True,
        connect_args={"timeout": 30.0, "command_timeout": 30.0, "connection_class": Line},
    )
    lines = Lines(engine, PATIENCE)
    try:
        yield lines
    finally:
        elephant.thaw()
        await lines.close()


async def one(lines: Lines) -> object:
    async with lines.line() as line:
        return (await line.execute(text("SELECT 1"))).scalar()


async def seconds(work: Awaitable[object]) -> float:
    """How long it takes until it says that it took too long."""
    began = time.monotonic()
    with pytest.raises(TimeoutError):
        await work
    return time.monotonic() - began


def test_a_silent_server_is_waited_for_once_and_by_one_alone(elephant: Elephant) -> None:
    async def story() -> None:
        async with opened(elephant) as lines:
            assert await one(lines) == 1
            elephant.freeze()

            assert PATIENCE * 0.9 < await seconds(one(lines)) < PATIENCE + 20
            first = asyncio.ensure_future(seconds(one(lines)))
            await asyncio.sleep(0.1)
            assert await seconds(one(lines)) < PATIENCE * 0.5
            assert await first > PATIENCE * 0.9

            elephant.thaw()
            assert await one(lines) == 1
            assert await asyncio.gather(*(one(lines) for _ in range(5))) == [1] * 5

    run(story())


def test_a_line_that_comes_too_late_goes_back(elephant: Elephant) -> None:
    async def story() -> None:
        async with opened(elephant, most=1) as lines:
            for _ in range(3):
                elephant.freeze()
                await seconds(one(lines))
                elephant.thaw()

                assert await one(lines) == 1

    run(story())


def test_whoever_gives_up_keeps_no_line(elephant: Elephant) -> None:
    async def story() -> None:
        async with opened(elephant, most=1) as lines:
            for wait in (0.0, 0.001, 0.003, 0.01):
                task = asyncio.ensure_future(one(lines))
                await asyncio.sleep(wait)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)

                assert await one(lines) == 1

    run(story())


def test_where_all_lines_are_busy_the_server_is_not_called_silent(elephant: Elephant) -> None:
    async def story() -> None:
        async with opened(elephant, most=1) as lines, lines.line():
            both = await asyncio.gather(one(lines), one(lines), return_exceptions=True)

            assert all(isinstance(each, Exception) for each in both)
            assert not any(took_too_long(each) for each in both if isinstance(each, Exception))

    run(story())


def test_who_closes_a_line_does_not_wait_for_its_server(elephant: Elephant) -> None:
    async def story() -> None:
        line = await asyncpg.connect(f"{elephant.url}/postgres", connection_class=Line)
        elephant.freeze()
        began = time.monotonic()

        await line.close()

        assert time.monotonic() - began < 20
        elephant.thaw()

    run(story())


def test_in_a_hurry_less_is_waited(elephant: Elephant) -> None:
    async def story() -> None:
        async with opened(elephant) as lines:
            assert await one(lines) == 1
            lines.hasten(0.2)
            lines.hasten(5.0)
            elephant.freeze()

            assert await seconds(one(lines)) < PATIENCE * 0.9

    run(story())


def test_a_server_says_itself_whether_it_takes_changes(elephant: Elephant) -> None:
    async def said(lines: Lines) -> bool:
        async with lines.line() as line:
            return takes_changes(line)

    async def story() -> None:
        async with opened(elephant, most=1) as lines:
            assert await said(lines)
            for change, told in (("SET %s = on", False), ("RESET %s", True)):
                await ordered(elephant, "ALTER SYSTEM " + change % "default_transaction_read_only")

                assert await until(lambda: said(lines), told)

    run(story())


async def ordered(elephant: Elephant, statement: str) -> None:
    await asyncio.to_thread(elephant.say, statement, "SELECT pg_reload_conf()")


async def until(said: Callable[[], Awaitable[bool]], told: bool) -> bool:
    """It is reloaded a moment later."""
    for _ in range(1200):
        if await said() is told:
            return True
        await asyncio.sleep(0.05)
    return False


def test_what_a_driver_says_in_its_own_words_took_too_long_too() -> None:
    assert took_too_long(DBAPIError("s", None, TimeoutError()))
    assert not took_too_long(DBAPIError("s", None, OSError("gone")))
    assert not took_too_long(OSError("gone"))
