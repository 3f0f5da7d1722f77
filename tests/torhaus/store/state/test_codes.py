import asyncio

import msgspec

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import NOW
from torhaus.model.oauth import Code

CODE = Code(
    digest=b"c" * 32,
    family="f1",
    client_id="dcr_1",
    redirect_uri="http://localhost:3118/callback",
    audience="github",
    challenge="x" * 43,
    expires=NOW + 60,
)


def test_a_code_comes_back_as_kept(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.codes.add(CODE)

            assert await desk.codes.get(CODE.digest) == CODE
            assert await desk.codes.get(b"d" * 32) is None

    run(story())


def test_of_many_takers_one_gets_the_code(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, place.office() as other:
            async with office.write() as desk:
                await desk.codes.add(CODE)

            async def take(at: int) -> bool:
                async with (office, other)[at % 2].write() as desk:
                    return await desk.codes.use(CODE.digest, NOW + at)

            assert sum(await asyncio.gather(*(take(each) for each in range(8)))) == 1
            async with other.read() as desk:
                found = await desk.codes.get(CODE.digest)
            assert found is not None
            assert found.used is not None

    run(story())


def test_codes_that_are_long_over_are_forgotten(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.codes.add(CODE)
            await desk.codes.add(msgspec.structs.replace(CODE, digest=b"n" * 32, expires=NOW + 99))

            assert await desk.codes.forget(NOW + 61) == 1
            assert await desk.codes.get(CODE.digest) is None
            assert await desk.codes.get(b"n" * 32) is not None

    run(story())
