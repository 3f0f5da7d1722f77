from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import NOW


def test_an_id_comes_once_for_each_source_until_its_time_is_over(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            assert await desk.seen.first("saml", "_1", NOW + 60)
            assert not await desk.seen.first("saml", "_1", NOW + 60)
            assert await desk.seen.first("oidc", "_1", NOW + 60)
            await desk.seen.sweep(NOW + 59)
            assert not await desk.seen.first("saml", "_1", NOW + 60)
            await desk.seen.sweep(NOW + 60)
            assert await desk.seen.first("saml", "_1", NOW + 60)

    run(story())
