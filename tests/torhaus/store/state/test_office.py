from contextlib import suppress

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import approval, granted
from torhaus.model.desk import Office


def test_a_desk_keeps_all_or_nothing(place: Place) -> None:
    async def half(office: Office) -> None:
        async with office.write() as desk:
            await desk.approvals.add(approval())
            await desk.access.add_grant(granted())
            raise LookupError

    async def story() -> None:
        async with place.office() as office:
            with suppress(LookupError):
                await half(office)

            async with office.read() as desk:
                assert await desk.approvals.get("a1") is None
                assert await desk.access.grants(10) == []

    run(story())


def test_a_reader_sees_what_was_kept_before_it_began(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office:
            async with office.write() as desk:
                await desk.access.add_grant(granted())

            async with office.read() as desk:
                assert [each.grant.id for each in await desk.access.grants(10)] == ["g1"]

    run(story())
