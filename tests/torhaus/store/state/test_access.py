import asyncio

import msgspec

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import NOW, access_request, granted
from torhaus.model.grant import Asked
from torhaus.store.state.office import StateOffice


def test_a_request_for_access_is_decided_once(place: Place) -> None:
    decided = access_request(
        state=Asked.APPROVED, decided_by="bob", decided_at=NOW + 1, comment="go", grant="g1"
    )

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.access.add_request(access_request())
            assert await desk.access.request("r1") == access_request()

            assert await desk.access.decide_request(decided)
            assert not await desk.access.decide_request(
                msgspec.structs.replace(decided, state=Asked.DENIED)
            )
            assert await desk.access.request("r1") == decided
            assert await desk.access.request("r2") is None

    run(story())


def test_requests_are_listed_newest_first_and_by_state(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number, state in enumerate(Asked):
                one = access_request(f"r{number}", state=state, created=NOW + number)
                await desk.access.add_request(one)

            every = await desk.access.requests(None, 3)
            pending = await desk.access.requests(Asked.PENDING, 10)

        assert [each.id for each in every] == ["r4", "r3", "r2"]
        assert [each.id for each in pending] == ["r0"]

    run(story())


def test_only_pending_requests_become_overdue(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number, state in enumerate(Asked):
                await desk.access.add_request(access_request(f"r{number}", state=state))

            assert await desk.access.overdue(NOW + 86399, 10) == []
            assert [each.id for each in await desk.access.overdue(NOW + 86400, 10)] == ["r0"]

    run(story())


def test_a_grant_comes_back_as_it_was_kept(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.access.add_grant(granted("g1"))
            await desk.access.add_grant(granted("g2", notify=None, replace=False))

            assert await desk.access.grant("g1") == granted("g1")
            assert await desk.access.grant("g2") == granted("g2", notify=None, replace=False)
            assert len(await desk.access.grants(10)) == 2
            assert await desk.access.grant("g3") is None

    run(story())


def test_grants_are_in_force_until_they_end_or_are_revoked(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.access.add_grant(granted("later", begins=NOW + 100))
            await desk.access.add_grant(granted("now"))
            await desk.access.add_grant(granted("over", ends=NOW))
            await desk.access.add_grant(granted("taken back"))

            assert await desk.access.revoke("taken back", "bob", NOW)
            assert [each.id for each in await desk.access.in_force(NOW)] == ["later", "now"]
            assert await desk.access.in_force(NOW + 3600) == []

    run(story())


def test_a_grant_is_revoked_once_and_only_while_it_lasts(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.access.add_grant(granted())

            assert not await desk.access.revoke("g1", "bob", NOW + 3600)
            assert await desk.access.revoke("g1", "bob", NOW + 5)
            assert not await desk.access.revoke("g1", "eve", NOW + 6)
            found = await desk.access.grant("g1")

        assert found is not None
        assert (found.revoked_by, found.revoked_at) == ("bob", NOW + 5)

    run(story())


def test_people_are_told_once_however_many_ask(place: Place) -> None:
    async def ask(office: StateOffice, key: str) -> bool:
        async with office.write() as desk:
            return await desk.access.tell_once(key, NOW)

    async def story() -> None:
        async with place.office() as one, place.office() as other:
            firsts = await asyncio.gather(*(ask((one, other)[n % 2], "k") for n in range(20)))

            assert sum(firsts) == 1
            assert await ask(one, "another")

    run(story())
