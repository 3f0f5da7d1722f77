import msgspec

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from torhaus.model.pins import Drift, Pin, Standing
from torhaus.policy.pins import accepted, begun, definition, looked, missed, rejected, told

OLD, NEW, NEWER = (definition({"name": "get", "description": t}) for t in ("old", "new", "newer"))
FIRST = begun("notes", "get", OLD, 1.5)


def changed(pin: Pin = FIRST) -> Pin:
    return told(looked(pin, "notes", "get", NEW, Drift.WARN, 2.5))


def test_a_pin_comes_back_as_it_was_kept(place: Place) -> None:
    new = looked(None, "notes", "Straße/\u200b🏴", NEW, Drift.WARN, 3.0)
    gone = missed(begun("other", "get", OLD, 1.0), 4.0)

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.tools.keep([changed(), new, gone], 9.0)
            await desk.tools.keep([], 9.0)

            found = {(pin.server, pin.name): pin for pin in await desk.tools.all()}
            assert list(found.values()).count(changed()) == 1
            assert set(found) == {("notes", "get"), ("notes", new.name), ("other", "get")}
            assert found["notes", new.name] == new
            assert found["other", "get"] == gone
            assert await desk.tools.get("notes", "get") == changed()
            assert await desk.tools.get("notes", "GET") is None
            assert await desk.tools.get("other", new.name) is None

    run(story())


def test_what_was_seen_later_replaces_what_was_seen_before(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office:
            async with office.write() as desk:
                await desk.tools.keep([FIRST], 1.0)
            async with office.write() as desk:
                await desk.tools.keep([changed()], 2.0)
                await desk.tools.keep([missed(changed(), 5.0)], 3.0)

            async with office.read() as desk:
                assert await desk.tools.all() == [missed(changed(), 5.0)]
                assert [pin.name for pin in await desk.tools.since(3.0)] == ["get"]
                assert await desk.tools.since(3.5) == []

    run(story())


def test_an_acceptance_is_of_what_is_offered(place: Place) -> None:
    done = accepted(changed(), NEW, "dana@example.org", 7.0)

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            assert not await desk.tools.accept(done, 7.0)
            await desk.tools.keep([changed()], 2.0)

            assert not await desk.tools.accept(
                accepted(changed(), NEWER, "dana@example.org", 7.0), 7.0
            )
            assert await desk.tools.accept(done, 7.0)
            assert await desk.tools.get("notes", "get") == done
            assert not await desk.tools.accept(done, 8.0)

    run(story())


def test_a_rejection_is_of_what_is_offered_and_ends_with_its_acceptance(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.tools.keep([changed()], 2.0)

            assert not await desk.tools.reject(
                msgspec.structs.replace(changed(), rejected=NEWER.digest), 3.0
            )
            assert await desk.tools.reject(rejected(changed()), 3.0)
            found = await desk.tools.get("notes", "get")
            assert found == rejected(changed())
            assert found is not None
            assert await desk.tools.accept(accepted(found, NEW, "dana", 4.0), 4.0)
            found = await desk.tools.get("notes", "get")
            assert found is not None
            assert (found.standing, found.rejected) == (Standing.ACCEPTED, None)

    run(story())


def test_a_process_that_has_not_heard_of_a_decision_does_not_undo_it(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.tools.keep([changed()], 2.0)
            await desk.tools.accept(accepted(changed(), NEW, "dana", 7.0), 7.0)

            await desk.tools.keep([missed(changed(), 8.0)], 8.0)

            found = await desk.tools.get("notes", "get")
            assert found is not None
            assert (found.accepted, found.accepted_by, found.offered) == (NEW, "dana", None)
            assert found.gone == 8.0

            newer = looked(changed(), "notes", "get", NEWER, Drift.WARN, 9.0)
            await desk.tools.keep([newer], 9.0)
            found = await desk.tools.get("notes", "get")
            assert found is not None
            assert (found.accepted, found.offered) == (NEW, NEWER)

    run(story())
