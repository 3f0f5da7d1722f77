from pathlib import Path

import pytest

from tests.torhaus.admin.hall import BOB, DANA, EVERYBODY, MALLORY, Hall, play, rules
from tests.torhaus.admin.provisioning.pushed import OKTA, PUSHER, here, push, pushing, user
from tests.torhaus.cast import run
from torhaus.admin.people.acts import AddPerson
from torhaus.admin.provisioning.acts import RemoveUser
from torhaus.model.announcement import Kind
from torhaus.model.person import PersonState
from torhaus.model.provisioning import Provisioned

JUNK = "junk@company.local"


async def _renames(hall: Hall, *emails: str) -> Provisioned:
    """A user who changes his address at his provider, again and again; as he is in the end."""
    before = None
    for email in emails:
        made = user("u1", email, active=True, userName="mallory", title=email)
        await push(hall, made, before)
        async with hall.office.read() as desk:
            before = await desk.provisioned.get("okta", "user", "u1")
    assert before is not None
    return before


async def _leaves(hall: Hall, last: Provisioned, how: str) -> None:
    if how == "removed":
        await hall.done(PUSHER, RemoveUser(source=OKTA, id="u1"))
        return
    await push(hall, user("u1", last.email, active=False, userName="mallory"), last)


async def _state(hall: Hall, email: str) -> PersonState | None:
    found = await here(hall, email)
    return None if found is None else found.state


@pytest.mark.parametrize("how", ["deactivated", "removed"])
@pytest.mark.parametrize("owner", ["file", "database"])
@pytest.mark.parametrize("was", [MALLORY.email, "new@company.local"])
def test_who_takes_a_colleagues_address_does_not_take_him_along(
    was: str, owner: str, how: str, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        if owner == "database":
            hall.rules = rules(*(each for each in EVERYBODY if each is not BOB))
            await hall.done(DANA, AddPerson(email=BOB.email, roles=("tech_lead",)))
        last = await _renames(hall, was, JUNK, BOB.email)
        assert [each.kind for each in hall.told] == [Kind.PERSON]
        hall.told.clear()

        await _leaves(hall, last, how)

        assert await _state(hall, BOB.email) in (None, PersonState.ACTIVE)
        assert await _state(hall, was) is PersonState.GONE
        [news] = hall.told
        assert (news.kind, news.to) == (Kind.PERSON, (DANA.email,))
        assert f"torhaus users offboard {BOB.email}" in news.text
        facts = hall.parameters()
        assert (facts["taken"], facts["known_as"]) == (BOB.email, was)

    run(play(tmp_path, story))


@pytest.mark.parametrize("how", ["deactivated", "removed"])
def test_who_leaves_his_own_address_behind_goes_all_the_same(how: str, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        last = await _renames(hall, BOB.email, JUNK)

        await _leaves(hall, last, how)

        assert await _state(hall, BOB.email) is PersonState.GONE
        assert await _state(hall, JUNK) is PersonState.GONE
        assert {each.email for each in hall.effects[-1].persons} == {BOB.email, JUNK}
        assert hall.told == []

    run(play(tmp_path, story))


@pytest.mark.parametrize("first", ["the file", "the provider"])
def test_a_rename_that_the_file_follows_is_one(first: str, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        others = [each for each in EVERYBODY if each is not MALLORY]
        last = await _renames(hall, MALLORY.email)
        hall.rules = rules(*others) if first == "the file" else hall.rules
        last = await _renames_on(hall, last, BOB.email)
        hall.rules = rules(*others)

        await _leaves(hall, last, "deactivated")

        assert await _state(hall, BOB.email) is PersonState.GONE

    run(play(tmp_path, story))


async def _renames_on(hall: Hall, last: Provisioned, email: str) -> Provisioned:
    await push(hall, user("u1", email, active=True, userName="mallory"), last)
    async with hall.office.read() as desk:
        found = await desk.provisioned.get("okta", "user", "u1")
    assert found is not None
    return found


def test_who_comes_back_brings_nobody_back_whose_address_he_has_taken(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        bob, gone = user("u2", BOB.email, active=True), user("u2", BOB.email, active=False)
        await push(hall, bob)
        await push(hall, gone, bob)
        last = await _renames(hall, MALLORY.email, BOB.email)
        await _leaves(hall, last, "deactivated")
        async with hall.office.read() as desk:
            away = await desk.provisioned.get("okta", "user", "u1")
        await push(hall, user("u1", BOB.email, active=True, userName="mallory"), away)

        assert await _state(hall, BOB.email) is PersonState.GONE
        assert await _state(hall, MALLORY.email) is PersonState.ACTIVE

    run(play(tmp_path, story))


def test_an_address_that_another_user_has_now_is_not_his_any_more(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        last = await _renames(hall, MALLORY.email, BOB.email)
        await push(hall, user("u2", MALLORY.email, active=True))

        await _leaves(hall, last, "deactivated")

        assert await _state(hall, BOB.email) in (None, PersonState.ACTIVE)
        assert await _state(hall, MALLORY.email) in (None, PersonState.ACTIVE)

    run(play(tmp_path, story))
