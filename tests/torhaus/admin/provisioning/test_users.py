from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, DANA, EVERYBODY, Hall, play, rules
from tests.torhaus.admin.hall import person as principal
from tests.torhaus.admin.people.staff import keyed
from tests.torhaus.admin.provisioning.pushed import (
    ERIN,
    OKTA,
    PUSHER,
    group,
    here,
    push,
    pushing,
    user,
)
from tests.torhaus.cast import run
from torhaus.admin.people.acts import AddPerson, OffboardPerson
from torhaus.admin.provisioning.acts import ProvisionUser, RemoveUser
from torhaus.admin.provisioning.users import STALE, TAKEN
from torhaus.model.person import PersonState


def test_whoever_is_pushed_is_of_the_source_and_goes_and_comes_with_it(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        one, away = user(active=True), user(active=False)
        await push(hall, one)
        await push(hall, group("Devs", "u1"))
        person = await here(hall)
        assert person is not None
        assert (person.owner, person.roles, person.name) == ("scim:okta", ("developer",), "Erin")
        hall.rules = rules(*EVERYBODY, msgspec.structs.replace(ALICE, id=ERIN, email=ERIN))
        key = await keyed(hall, ERIN)

        await push(hall, away, one)

        assert hall.effects[-1].ended == (key.digest,)
        assert hall.parameters()["closed"]["keys"] == 1
        gone = await here(hall)
        assert gone is not None
        assert gone.state is PersonState.GONE

        await push(hall, one, away)
        back = await here(hall)
        assert back is not None
        assert (back.state, back.roles) == (PersonState.ACTIVE, ("developer",))
        async with hall.office.read() as desk:
            assert [each.team for each in await desk.teams.of(ERIN)] == ["builders"]

    run(play(tmp_path, story))


def test_who_was_offboarded_here_does_not_come_back_by_the_way(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        one = user(active=True)
        await push(hall, one)
        await hall.done(DANA, OffboardPerson(ERIN))

        await push(hall, user(active=True, title="Chief"), one)

        person = await here(hall)
        assert person is not None
        assert person.state is PersonState.GONE

    run(play(tmp_path, story))


def test_people_of_others_stay_theirs(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        await hall.done(DANA, AddPerson(email=ERIN, roles=("tech_lead",)))
        one = user(active=True)
        await push(hall, one)
        await push(hall, group("Devs", "u1"))
        person = await here(hall)
        assert person is not None
        assert (person.owner, person.roles) == ("database", ("tech_lead",))

        await push(hall, user(active=False), one)
        person = await here(hall)
        assert person is not None
        assert (person.owner, person.state) == ("database", PersonState.GONE)

    run(play(tmp_path, story))


def test_another_address_is_somebody_else(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        one = user(active=True)
        await push(hall, one)

        await push(hall, user(email="new@company.local", active=True), one)

        old, new = await here(hall), await here(hall, "new@company.local")
        assert old is not None
        assert new is not None
        assert (old.state, new.state) == (PersonState.GONE, PersonState.ACTIVE)
        assert hall.parameters()["before_that"] == ERIN
        assert {each.email for each in hall.effects[-1].persons} == {ERIN, new.email}

    run(play(tmp_path, story))


def test_nobody_takes_the_address_of_another_user_who_is_here(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        one, own = user(active=True), user("u2", "mallory@company.local", active=True)
        await push(hall, one)
        await push(hall, own)
        await push(hall, group("Leads", "u1"))
        taking = user("u2", active=True, userName="mallory")

        for act in (
            ProvisionUser(source=OKTA, user=taking, before=own),
            ProvisionUser(source=OKTA, user=user("u3", active=True, userName="u3")),
        ):
            refusal = await hall.refused(PUSHER, act)
            assert (refusal.code, "another active user" in refusal.reason) == (TAKEN, True)

        person = await here(hall)
        assert person is not None
        assert (person.state, person.roles) == (PersonState.ACTIVE, ("tech_lead",))

    run(play(tmp_path, story))


def test_an_address_is_free_again_once_its_user_has_left(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        one, gone = user(active=True), user(active=False)
        await push(hall, one)
        await push(hall, gone, one)
        later = user("u2", active=True, userName="erin.two")

        await push(hall, later)
        refusal = await hall.refused(PUSHER, ProvisionUser(source=OKTA, user=one, before=gone))
        assert refusal.code == TAKEN
        await hall.done(PUSHER, RemoveUser(source=OKTA, id="u1"))

        person = await here(hall)
        assert person is not None
        assert person.state is PersonState.ACTIVE

    run(play(tmp_path, story))


@pytest.mark.parametrize("how", ["deactivated", "removed", "renamed"])
def test_of_two_with_one_address_from_before_the_last_takes_the_person_along(
    tmp_path: Path, how: str
) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        one, two = user(active=True), user("u2", active=True, userName="u2")
        await push(hall, one)
        async with hall.office.write() as desk:
            assert await desk.provisioned.add(two)

        for each in (two, one):
            left = msgspec.structs.replace(each, document=each.document.replace("true", "false"))
            elsewhere = msgspec.structs.replace(each, email=f"{each.id}@company.local")
            if how == "removed":
                await hall.done(PUSHER, RemoveUser(source=OKTA, id=each.id))
            else:
                await push(hall, left if how == "deactivated" else elsewhere, each)

            person = await here(hall)
            assert person is not None
            assert (person.state is PersonState.GONE) == (each is one)

    run(play(tmp_path, story))


def test_a_user_without_an_address_is_nobody_here(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        await push(hall, user(email=None))
        await hall.done(PUSHER, RemoveUser(source=OKTA, id="u1"))
        async with hall.office.read() as desk:
            assert await desk.persons.every() == []

    run(play(tmp_path, story))


def test_only_the_source_pushes_and_only_what_is_as_it_knows_it(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        one = user(active=True)
        for act in (ProvisionUser(source=OKTA, user=one), RemoveUser(source=OKTA, id="u1")):
            assert (await hall.refused(DANA, act)).code == "not_allowed"
        gone = RemoveUser(source=OKTA, id="u1")
        assert (await hall.refused(PUSHER, gone)).code == "not_found"
        await push(hall, one)
        again = msgspec.structs.replace(one, id="u2")
        refusal = await hall.refused(PUSHER, ProvisionUser(source=OKTA, user=again))
        assert refusal.code == TAKEN
        late = ProvisionUser(source=OKTA, user=one, before=user(title="x"))
        assert (await hall.refused(PUSHER, late)).code == STALE
        await hall.done(PUSHER, gone)

    run(play(tmp_path, story))


def test_the_last_administrator_is_not_pushed_out(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        hall.rules = rules(ALICE, principal("dana", "admin"))
        one = user(email=DANA.email, active=True)
        await push(hall, one)

        out = ProvisionUser(source=OKTA, user=user(email=DANA.email, active=False), before=one)

        for act in (out, RemoveUser(source=OKTA, id="u1")):
            refusal = await hall.refused(PUSHER, act)
            assert "last administrator" in refusal.reason

    run(play(tmp_path, story))
