import asyncio

import msgspec
import pytest

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from torhaus.model.usage import Use, Used
from torhaus.store.state.office import StateOffice

ALICE = Use("2026-11", "github", "list_issues", "alice@example.org", "developer,ops")
BOB = Use("2026-11", "github", "list_issues", "bob@example.org", "")
OLD = Use("2026-10", "sentry", "Straße/\u200b🏴", "alice@example.org", "developer")


def test_sums_grow(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office:
            for _ in range(2):
                async with office.write() as desk:
                    await desk.usage.add([Used(ALICE, 2, 5), Used(BOB, 1, 0), Used(OLD, 3, 0)])
                    await desk.usage.add([])

            async with office.read() as desk:
                assert await desk.usage.of("2026-11") == [Used(ALICE, 4, 10), Used(BOB, 2, 0)]
                assert await desk.usage.of("2026-10") == [Used(OLD, 6, 0)]
                assert await desk.usage.of("2026-09") == []
                everybody = Use("2026-11", "github", "list_issues", "", "")
                assert await desk.usage.by_tool("2026-11") == [Used(everybody, 6, 10)]
                assert await desk.usage.by_tool("2026-09") == []

    run(story())


def test_other_roles_are_another_line(place: Place) -> None:
    promoted = msgspec.structs.replace(ALICE, roles="tech-lead")

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.usage.add([Used(ALICE, 1, 0), Used(promoted, 1, 0)])

            assert await desk.usage.of("2026-11") == [Used(ALICE, 1, 0), Used(promoted, 1, 0)]

    run(story())


class GaveUpError(Exception):
    """On the way."""


def test_a_transaction_that_fails_adds_nothing(place: Place) -> None:
    async def fail(office: StateOffice) -> None:
        async with office.write() as desk:
            await desk.usage.add([Used(ALICE, 1, 0)])
            raise GaveUpError

    async def story() -> None:
        async with place.office() as office:
            with pytest.raises(GaveUpError):
                await fail(office)

            async with office.read() as desk:
                assert await desk.usage.of("2026-11") == []

    run(story())


def test_processes_that_write_at_once_lose_nothing(place: Place) -> None:
    """Each has its lines in another order: they must not wait for each other's for ever."""

    async def story() -> None:
        async with place.office() as one, place.office() as other:

            async def add(office: StateOffice, uses: list[Use]) -> None:
                for _ in range(20):
                    async with office.write() as desk:
                        await desk.usage.add([Used(use, 1, 1) for use in uses])

            await asyncio.gather(add(one, [ALICE, BOB, OLD]), add(other, [OLD, BOB, ALICE]))

            async with one.read() as desk:
                assert await desk.usage.of("2026-11") == [Used(ALICE, 40, 40), Used(BOB, 40, 40)]

    run(story())
