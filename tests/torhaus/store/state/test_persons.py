from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE, BOB, person
from torhaus.model.person import PersonKind, PersonState


def test_a_person_comes_back_as_kept(place: Place) -> None:
    bot = person("ci@example.org", kind=PersonKind.SERVICE, owner="scim:okta", expires=None)

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.persons.put(person())
            await desk.persons.put(bot)

            assert await desk.persons.get(ALICE) == person()
            assert await desk.persons.get(BOB) is None
            assert await desk.persons.every() == [person(), bot]

    run(story())


def test_a_changed_person_takes_the_place_of_the_old(place: Place) -> None:
    gone = person(state=PersonState.GONE, roles=(), left_at=1.0, epoch=3)

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.persons.put(person())
            await desk.persons.put(gone)

            assert await desk.persons.every() == [gone]

    run(story())


def test_others_hear_of_a_changed_person(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office:
            async with office.write() as desk:
                await desk.persons.put(person())
                first = await desk.revisions.every()
            async with office.write() as desk:
                await desk.persons.put(person(BOB))
                second = await desk.revisions.every()

        assert 0 < first["people"] < second["people"]

    run(story())


def test_service_accounts_are_found_by_who_answers_for_them(place: Place) -> None:
    bots = [
        person(f"{name}@example.org", kind=PersonKind.SERVICE, responsible=who, state=state)
        for name, who, state in (
            ("b", ALICE, PersonState.SUSPENDED),
            ("a", ALICE, PersonState.ACTIVE),
            ("c", BOB, PersonState.ACTIVE),
            ("d", ALICE, PersonState.GONE),
        )
    ]

    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for each in (*bots, person(ALICE, responsible=ALICE)):
                await desk.persons.put(each)

            assert await desk.persons.answered_for(ALICE) == [bots[1], bots[0]]
            assert await desk.persons.answered_for("nobody@example.org") == []

    run(story())
