import asyncio

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from torhaus.model.rings import Holder, Sealing


def test_the_first_who_asks_says_which_key_seals(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office:
            async with office.read() as desk:
                assert await desk.rings.sealing() is None
            async with office.write() as desk:
                assert await desk.rings.take("old", 1.0) == Sealing("old", 1.0)
            async with office.write() as desk:
                assert await desk.rings.take("mine", 2.0) == Sealing("old", 1.0)
            async with office.read() as desk:
                assert await desk.rings.sealing() == Sealing("old", 1.0)

    run(story())


def test_another_key_waits_for_its_rows_until_it_is_settled(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.rings.take("old", 1.0)
            for key in ("new", "old"):  # also one that has been in use before
                await desk.rings.move(key, 2.0)
                assert await desk.rings.sealing() == Sealing(key, 2.0, settled=False)
                await desk.rings.settle("elsewhere", 3.0)
                assert await desk.rings.sealing() == Sealing(key, 2.0, settled=False)
                await desk.rings.settle(key, 3.0)
                assert await desk.rings.sealing() == Sealing(key, 2.0)

    run(story())


def test_nobody_changes_the_key_while_somebody_seals(place: Place) -> None:
    """Nor does anybody seal while it is changed: what is read waits."""

    async def story() -> None:
        order: list[str] = []
        held, go = asyncio.Event(), asyncio.Event()

        async with place.office() as one, place.office() as other:
            async with one.write() as desk:
                await desk.rings.take("old", 1.0)

            async def seal() -> None:
                async with one.write() as desk:
                    await desk.rings.take("old", 1.0)
                    held.set()
                    await go.wait()
                    order.append("sealed")

            async def move() -> None:
                await held.wait()
                async with other.write() as desk:
                    go.set()
                    await desk.rings.take("old", 1.0)
                    order.append("moved")
                    await desk.rings.move("new", 2.0)

            async def late() -> None:
                await held.wait()
                go.set()  # SQLite lets no second writer begin: it must not wait for one
                await asyncio.sleep(0)

            await asyncio.gather(seal(), move(), late())
            async with one.write() as desk:
                assert (await desk.rings.take("old", 3.0)).key == "new"

        assert order == ["sealed", "moved"]

    run(story())


def test_of_many_who_are_the_first_one_is_believed_by_all(place: Place) -> None:
    async def story() -> None:
        async with place.office() as one, place.office() as other:

            async def take(at: int) -> str:
                async with (one, other)[at % 2].write() as desk:
                    return (await desk.rings.take(f"key{at}", 1.0)).key

            found = await asyncio.gather(*(take(at) for at in range(8)))

        assert len(set(found)) == 1

    run(story())


def test_gateways_say_which_keys_they_have_until_they_are_gone(place: Place) -> None:
    async def story() -> None:
        one, other = Holder("a", "host", ("k1",), 1.0), Holder("b", "host", ("k2", "k1"), 5.0)
        async with place.office() as office, office.write() as desk:
            for each in (one, other, Holder("a", "host", ("k2", "k1"), 6.0)):
                await desk.rings.announce(each)
            assert [(each.id, each.keys) for each in await desk.rings.holders(0.0)] == [
                ("a", ("k2", "k1")),
                ("b", ("k2", "k1")),
            ]

            assert [each.id for each in await desk.rings.holders(5.5)] == ["a"]
            assert [each.id for each in await desk.rings.holders(0.0)] == ["a"]
            await desk.rings.withdraw("a")
            assert await desk.rings.holders(0.0) == []

    run(story())
