from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, person, play, rules
from tests.torhaus.admin.people.staff import ERIN, hired, keyed, steward, stewards
from tests.torhaus.cast import run
from tests.torhaus.store.state.people import credential, family
from torhaus.admin.people.acts import OffboardPerson, ReinstatePerson, SuspendPerson
from torhaus.model.credentials import CredentialKind
from torhaus.model.grant import Grant
from torhaus.model.person import PersonState, Team


def test_a_suspended_person_comes_back_with_his_keys_but_no_sessions(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        key = await keyed(hall)
        async with hall.office.write() as desk:
            await desk.families.add(family("f1", email=ERIN))
            cookie = credential("c1", email=ERIN, family="f1", kind=CredentialKind.SESSION)
            await desk.credentials.add(cookie, "")

        person = (await hall.done(DANA, SuspendPerson(ERIN, "on leave"))).person

        assert (person.state, person.epoch) == (PersonState.SUSPENDED, 1)
        assert hall.effects[-1].ended == (cookie.digest,)
        assert hall.effects[-1].persons == (person,)
        assert hall.parameters()["reason"] == "on leave"
        assert hall.parameters()["after"] == {"state": "suspended"}
        refusal = await hall.refused(DANA, SuspendPerson(ERIN))
        assert refusal.code == "conflict"

        person = (await hall.done(DANA, ReinstatePerson(ERIN))).person
        assert person.state is PersonState.ACTIVE
        async with hall.office.read() as desk:
            kept = await desk.credentials.get(key.digest)
        assert kept is not None
        assert kept.ended is None

    run(play(tmp_path, story))


def test_somebody_of_the_file_is_ended_here_and_stays_the_files(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        person = (await hall.done(DANA, SuspendPerson("ALICE@example.org"))).person
        assert (person.owner, person.state) == ("file", PersonState.SUSPENDED)

        gone = await hall.done(DANA, OffboardPerson(ALICE.email))
        assert gone.closed == {"keys_of_file": 1}
        back = (await hall.done(DANA, ReinstatePerson(ALICE.email))).person
        assert (back.state, back.left_at) == (PersonState.ACTIVE, None)

    run(play(tmp_path, story))


def test_who_is_in_the_file_no_more_is_offboarded_with_what_waits_for_his_return(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        await hall.refused(DANA, OffboardPerson("nobody@example.org"))
        left = person("left", "developer").email
        async with hall.office.write() as desk:
            await desk.credentials.add(credential("k1", email=left), "")
            await desk.families.add(family("f1", email=left))

        gone = await hall.done(DANA, OffboardPerson(left))

        assert gone.closed == {"sessions": 1, "keys": 1}
        assert (gone.person.owner, gone.person.state) == ("file", PersonState.GONE)
        refusal = await hall.refused(DANA, OffboardPerson("not an address"))
        assert refusal.code == "not_found"

    run(play(tmp_path, story))


def test_nobody_ends_his_own_access_or_the_last_administrators(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        refusal = await hall.refused(DANA, OffboardPerson(DANA.email))
        assert "his own" in refusal.reason

        stewards(hall)
        for act in (OffboardPerson(DANA.email), SuspendPerson(DANA.email)):
            refusal = await hall.refused(steward("people"), act)
            assert refusal.code == "conflict"
            assert "last administrator" in refusal.reason

        hall.rules = rules(*hall.rules.principals.values(), person("second", "admin"))
        await hall.done(steward("people"), OffboardPerson(DANA.email))

    run(play(tmp_path, story))


def test_only_holders_of_the_right_end_access(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        for act in (OffboardPerson(ALICE.email), SuspendPerson(ALICE.email), ReinstatePerson("x")):
            refusal = await hall.refused(BOB, act)
            assert refusal.code == "not_allowed"
        for act in (OffboardPerson("x@example.org"), ReinstatePerson("x@example.org")):
            refusal = await hall.refused(DANA, act)
            assert refusal.code == "not_found"

    run(play(tmp_path, story))


def test_who_is_not_away_is_not_reinstated(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        assert (await hall.refused(DANA, ReinstatePerson(ERIN))).code == "conflict"
        await hall.done(DANA, OffboardPerson(ERIN))

        refusal = await hall.refused(DANA, ReinstatePerson(ERIN))

        assert "anew" in refusal.fix

    run(play(tmp_path, story))


@pytest.mark.parametrize("end", [SuspendPerson, OffboardPerson])
def test_nobody_lets_in_again_whom_he_could_not_give_what_he_had(tmp_path: Path, end: Any) -> None:
    async def story(hall: Hall) -> None:
        boss = person("second", "admin")
        hall.rules = rules(*hall.rules.principals.values(), boss)
        stewards(hall)
        hall.rules = msgspec.structs.replace(
            hall.rules, filed={boss.email: None}, held={boss.email: ("admin",)}
        )
        await hall.done(DANA, end(boss.email))

        refusal = await hall.refused(steward("people"), ReinstatePerson(boss.email))
        assert refusal.code == "not_allowed"
        assert "admin permission" in refusal.reason

        await hall.done(DANA, ReinstatePerson(boss.email))

    run(play(tmp_path, story))


def test_who_suspends_somebody_with_little_lets_him_in_again(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        stewards(hall)
        await hall.done(steward("people"), SuspendPerson(ERIN))

        back = (await hall.done(steward("people"), ReinstatePerson(ERIN))).person

        assert back.state is PersonState.ACTIVE

    run(play(tmp_path, story))


def test_roles_of_teams_and_for_a_time_come_back_with_him_too(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        stewards(hall)
        leads = Team(name="leads", roles=("tech_lead",))
        hall.rules = msgspec.structs.replace(hall.rules, teams=(leads,))
        await hall.done(DANA, SuspendPerson(ERIN))
        async with hall.office.write() as desk:
            await desk.teams.set(ERIN, "idp:company", ("leads",))

        refusal = await hall.refused(steward("people"), ReinstatePerson(ERIN))
        assert "tech_lead" in refusal.reason

        async with hall.office.write() as desk:
            await desk.teams.set(ERIN, "idp:company", ())
        now = hall.clock()
        over, lent = (
            Grant(id="g", user=ERIN, role="on_call", begins=now - 9, ends=ends)
            for ends in (now, now + 60)
        )
        hall.rules = msgspec.structs.replace(hall.rules, grants=(over, lent))
        refusal = await hall.refused(steward("people"), ReinstatePerson(ERIN))
        assert "on_call" in refusal.reason

        hall.rules = msgspec.structs.replace(hall.rules, grants=(over,))
        await hall.done(steward("people"), ReinstatePerson(ERIN))

    run(play(tmp_path, story))
