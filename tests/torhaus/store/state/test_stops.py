from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import BOB, stop
from tests.torhaus.store.state.requests import NOW
from torhaus.model.stops import StopKind


def test_stops_hold_until_they_are_over_or_lifted(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.stops.add(stop("s1"))
            await desk.stops.add(stop("s2", kind=StopKind.USER, target=BOB, expires=None))
            await desk.stops.add(stop("s3", kind=StopKind.TOOL, target="github/delete_repo"))
            assert await desk.stops.get("s1") == stop("s1")
            assert await desk.stops.get("s4") is None
            assert len(await desk.stops.in_force(NOW)) == 3

            assert await desk.stops.lift("s3", BOB, NOW + 1)
            assert not await desk.stops.lift("s3", BOB, NOW + 2)
            assert not await desk.stops.lift("s1", BOB, NOW + 3600)

            assert [each.id for each in await desk.stops.in_force(NOW + 3600)] == ["s2"]
            lifted = await desk.stops.get("s3")
            assert lifted is not None
            assert (lifted.lifted_at, lifted.lifted_by) == (NOW + 1, BOB)
            assert [each.id for each in await desk.stops.newest(2)] == ["s1", "s2"]

    run(story())


def test_others_hear_of_a_stop_and_of_its_end(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.stops.add(stop())
            first = (await desk.revisions.every())["stops"]
            await desk.stops.lift("s1", BOB, NOW + 1)

            assert 0 < first < (await desk.revisions.every())["stops"]

    run(story())


def test_that_one_has_had_its_time_is_kept_once_and_heard_of(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.stops.add(stop("s1"))
            await desk.stops.add(stop("s2", expires=None))
            await desk.stops.add(stop("s3"))
            await desk.stops.lift("s3", BOB, NOW + 1)
            ends = stop("s1").expires
            assert ends is not None
            assert await desk.stops.overdue(ends - 1, 10) == []
            assert not await desk.stops.end("s1", ends - 1)
            assert [each.id for each in await desk.stops.overdue(ends, 10)] == ["s1"]
            before = (await desk.revisions.every())["stops"]

            assert await desk.stops.end("s1", ends)

            assert not await desk.stops.end("s1", ends + 1)
            assert not await desk.stops.end("s2", ends)
            assert await desk.stops.overdue(ends, 10) == []
            ended = await desk.stops.get("s1")
            assert ended is not None
            assert (ended.lifted_at, ended.lifted_by) == (ends, None)
            assert (await desk.revisions.every())["stops"] > before

    run(story())
