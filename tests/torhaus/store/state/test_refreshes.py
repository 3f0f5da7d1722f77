import asyncio

import msgspec

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import NOW
from torhaus.model.oauth import Refresh

REFRESH = Refresh(digest=b"r" * 32, family="f1", created=NOW, expires=NOW + 3600)


def test_a_refresh_token_comes_back_as_kept(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.refreshes.add(REFRESH)

            assert await desk.refreshes.get(REFRESH.digest) == REFRESH
            assert await desk.refreshes.get(b"x" * 32) is None

    run(story())


def test_of_many_takers_one_leaves_what_the_others_get(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, place.office() as other:
            async with office.write() as desk:
                await desk.refreshes.add(REFRESH)

            async def take(at: int) -> bool:
                async with (office, other)[at % 2].write() as desk:
                    return await desk.refreshes.use(REFRESH.digest, b"pair %d" % at, NOW + at)

            took = await asyncio.gather(*(take(each) for each in range(8)))
            assert sum(took) == 1
            async with other.read() as desk:
                found = await desk.refreshes.get(REFRESH.digest)
            assert found is not None
            assert found.successor == b"pair %d" % took.index(True)

    run(story())


def test_what_nobody_may_ask_for_any_more_is_wiped(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.refreshes.add(REFRESH)
            await desk.refreshes.add(msgspec.structs.replace(REFRESH, digest=b"n" * 32))
            await desk.refreshes.use(REFRESH.digest, b"old", NOW)
            await desk.refreshes.use(b"n" * 32, b"new", NOW + 50)

            assert await desk.refreshes.seal_off(NOW + 1) == 1
            assert await desk.refreshes.seal_off(NOW + 1) == 0

            old, new = await desk.refreshes.get(REFRESH.digest), await desk.refreshes.get(b"n" * 32)
            assert old is not None
            assert (old.used, old.successor) == (NOW, None)
            assert new is not None
            assert new.successor == b"new"
            assert await desk.refreshes.forget(NOW + 3601) == 2

    run(story())
