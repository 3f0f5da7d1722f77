from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import NOW
from torhaus.model.accounts import Leaving


def leaving(digest: bytes, kind: str = "sign-in") -> Leaving:
    return Leaving(
        digest=digest,
        kind=kind,
        browser=b"b\x00",
        provider="corp",
        sealed=b"\xff\x00",
        created=NOW,
        expires=NOW + 600,
    )


def test_what_is_under_way_ends_once(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.departures.add(leaving(b"a"))
            assert await desk.departures.get(b"a", NOW) == leaving(b"a")
            assert await desk.departures.take(b"a", NOW) == leaving(b"a")
            assert await desk.departures.take(b"a", NOW) is None
            assert await desk.departures.get(b"a", NOW) is None

    run(story())


def test_it_is_over_when_its_time_is_and_links_of_a_kind_can_be_forgotten(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.departures.add(leaving(b"a"))
            await desk.departures.add(leaving(b"s", "setup"))
            assert await desk.departures.take(b"a", NOW + 600) is None
            await desk.departures.forget("setup")
            assert await desk.departures.get(b"s", NOW) is None
            assert await desk.departures.get(b"a", NOW) is not None
            await desk.departures.sweep(NOW + 600)
            assert await desk.departures.get(b"a", NOW) is None

    run(story())
