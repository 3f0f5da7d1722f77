from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, person, play
from tests.torhaus.admin.people.staff import ERIN, hired, keyed
from tests.torhaus.cast import run
from torhaus.admin.people.acts import AddPerson, OffboardPerson, SuspendPerson
from torhaus.admin.people.books import PeopleBooks
from torhaus.model.person import PersonKind, PersonState


def books(hall: Hall) -> PeopleBooks:
    return PeopleBooks(hall.office, lambda: hall.rules, hall.clock)


def test_people_of_file_and_database_are_one_list(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        await hall.done(DANA, SuspendPerson(ALICE.email))

        every = await books(hall).people(DANA, None, "", 100)
        owners = {each.person.email: each.person.owner for each in every}
        assert (owners[ERIN], owners[BOB.email], owners[ALICE.email]) == (
            "database",
            "file",
            "file",
        )
        away = await books(hall).people(DANA, PersonState.SUSPENDED, "", 100)
        assert [each.person.email for each in away] == [ALICE.email]
        assert len(await books(hall).people(DANA, None, "", 2)) == 2
        later = await books(hall).people(DANA, None, DANA.email, 100)
        assert all(each.person.email > DANA.email for each in later)

    run(play(tmp_path, story))


def test_without_the_right_there_is_oneself(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        await keyed(hall)
        seen = books(hall)

        assert [each.person.email for each in await seen.people(BOB, None, "", 9)] == [BOB.email]
        assert await seen.person(BOB, ERIN) is None
        assert await seen.person(DANA, "nobody@example.org") is None
        assert await seen.keys(BOB, ERIN, 9) == []
        assert len(await seen.keys(hall.rules.principals[ERIN], ERIN, 9)) == 1
        assert await seen.families(BOB, ERIN, 9) == []
        assert await seen.stops(ALICE) == []

    run(play(tmp_path, story))


def test_the_file_goes_before_what_the_database_has_of_somebody(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall, expires=hall.clock() + 60)
        hall.rules = msgspec.structs.replace(hall.rules, filed={ERIN: None})

        found = await books(hall).person(DANA, ERIN)

        assert found is not None
        told = found.person
        assert (told.owner, told.roles, told.expires) == ("file", (), None)
        assert found.roles == ("developer",)

    run(play(tmp_path, story))


def test_who_answers_for_service_accounts_sees_them_and_is_listed_with_them(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        ci, nightly = "ci@services.example", "nightly@services.example"
        await hall.done(DANA, AddPerson(email=ci, kind=PersonKind.SERVICE, responsible=BOB.email))
        hall.rules = msgspec.structs.replace(hall.rules, filed={nightly: ERIN})
        program = person("nightly", "developer", id=nightly, email=nightly, responsible=ERIN)
        known = {**hall.rules.principals, nightly: program}
        hall.rules = msgspec.structs.replace(hall.rules, principals=known)
        seen = books(hall)

        assert [each.person.email for each in await seen.people(BOB, None, "", 9)] == [
            BOB.email,
            ci,
        ]
        bob, own = await seen.person(BOB, BOB.email), await seen.person(BOB, ci)
        assert bob is not None
        assert own is not None
        assert (bob.programs, bob.orphaned) == ((ci,), False)
        assert (own.person.responsible, own.orphaned) == (BOB.email, False)
        filed = await seen.person(DANA, nightly)
        assert filed is not None
        assert (filed.person.kind, filed.person.responsible, filed.orphaned) == (
            PersonKind.SERVICE,
            ERIN,
            True,
        )
        assert await seen.person(ALICE, ci) is None
        await hall.done(DANA, OffboardPerson(ci))
        bob = await seen.person(BOB, BOB.email)
        assert bob is not None
        assert bob.programs == ()

    run(play(tmp_path, story))
