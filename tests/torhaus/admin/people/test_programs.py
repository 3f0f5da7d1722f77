from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, person, play, rules
from tests.torhaus.admin.people.staff import ERIN, hired, keyed
from tests.torhaus.admin.people.test_answering import CI, SERVICE
from tests.torhaus.admin.provisioning.pushed import OKTA, PUSHER, push, pushing, user
from tests.torhaus.cast import run
from tests.torhaus.store.state.people import family
from torhaus.admin.people.acts import (
    AddPerson,
    OffboardPerson,
    Outcome,
    Program,
    ReinstatePerson,
    SuspendPerson,
)
from torhaus.admin.provisioning.acts import RemoveUser
from torhaus.model.credentials import FamilyKind
from torhaus.model.person import Person, PersonState

BOT, FILED = "bot@services.example", "nightly@services.example"
SUSPENDED, HANDED = Outcome.SUSPENDED, Outcome.HANDED_OVER


async def answering(hall: Hall, email: str = ERIN) -> None:
    """Erin answers for two service accounts of the database and for one of the file."""
    await hired(hall)
    for each in (CI, BOT):
        await hall.done(DANA, AddPerson(email=each, kind=SERVICE, responsible=email))
    filed = {FILED: email, "other@services.example": ALICE.email}
    program = person("nightly", "developer", id=FILED, email=FILED, responsible=email)
    bots = [person(each.partition("@")[0], "developer", id=each, email=each) for each in (CI, BOT)]
    hall.rules = rules(*hall.rules.principals.values(), program, *bots, filed=filed)


async def row(hall: Hall, email: str) -> Person:
    async with hall.office.read() as desk:
        found = await desk.persons.get(email)
    assert found is not None
    return found


def outcomes(done: Any) -> dict[str, str]:
    return {each.email: each.outcome for each in done.programs}


def test_service_accounts_are_suspended_with_who_answers_for_them_and_named(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        await answering(hall)
        key = await keyed(hall, CI)
        async with hall.office.write() as desk:
            await desk.families.add(family("f1", email=CI, kind=FamilyKind.CONSENT))
        known = len(hall.ledger.durable)

        gone = await hall.done(DANA, OffboardPerson(ERIN, "left"))

        assert outcomes(gone) == {CI: SUSPENDED, BOT: SUSPENDED, FILED: SUSPENDED}
        for each in (CI, BOT, FILED):
            assert (await row(hall, each)).state is PersonState.SUSPENDED
        assert (await row(hall, FILED)).owner == "file"
        assert (await row(hall, CI)).responsible == ERIN
        effect = hall.effects[-1]
        assert {each.email for each in effect.persons} == {ERIN, CI, BOT, FILED}
        assert hall.parameters(known)["service_accounts"] == {"suspended": [BOT, CI, FILED]}
        async with hall.office.read() as desk:
            kept, consent = await desk.credentials.get(key.digest), await desk.families.get("f1")
        assert kept is not None
        assert kept.ended is None  # it waits, as a suspended person's
        assert consent is not None
        assert consent.ended is not None

    run(play(tmp_path, story))


def test_each_of_them_leaves_a_record_with_what_was_and_what_is(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await answering(hall)
        known = len(hall.ledger.durable)

        await hall.done(DANA, SuspendPerson(ERIN, hand_to=BOB.email))

        ends = hall.ends()[known:]
        assert [end[0] for end in ends] == [
            "person.suspended",
            "person.changed",
            "person.changed",
            "person.suspended",
        ]
        assert all(end[1:] == (DANA.email, "success") for end in ends)
        first, second = hall.ledger.durable[known], hall.ledger.durable[known + 1]
        assert second.request_id == f"{first.request_id}.1"
        told = hall.parameters(known + 1)
        assert (told["person"], told["part_of"]) == (BOT, first.request_id)
        assert (told["before"], told["after"]) == (
            {"responsible": ERIN},
            {"responsible": BOB.email},
        )

    run(play(tmp_path, story))


def test_a_successor_gets_them_but_for_those_of_the_file(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await answering(hall)

        away = await hall.done(DANA, SuspendPerson(ERIN, hand_to="BOB@example.org"))

        assert away.person.state is PersonState.SUSPENDED
        assert away.programs == (
            Program(email=BOT, outcome=HANDED, to=BOB.email),
            Program(email=CI, outcome=HANDED, to=BOB.email),
            Program(email=FILED, outcome=SUSPENDED),
        )
        assert (await row(hall, CI)).responsible == BOB.email
        assert (await row(hall, CI)).state is PersonState.ACTIVE
        gone = await hall.done(DANA, OffboardPerson(ERIN))
        assert outcomes(gone) == {FILED: SUSPENDED}  # it was already
        assert outcomes(await hall.done(DANA, OffboardPerson(BOB.email))) == {
            BOT: SUSPENDED,
            CI: SUSPENDED,
        }

    run(play(tmp_path, story))


def test_who_comes_back_is_told_what_waits_for_him(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await answering(hall)
        await hall.done(DANA, SuspendPerson(ERIN))
        await hall.done(DANA, ReinstatePerson(CI))

        back = await hall.done(DANA, ReinstatePerson(ERIN))

        assert (back.person.state, outcomes(back)) == (
            PersonState.ACTIVE,
            {BOT: SUSPENDED, FILED: SUSPENDED},
        )

    run(play(tmp_path, story))


def test_a_successor_is_somebody_else_who_is_here(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await answering(hall)
        for nobody in (ERIN, CI, "nobody@example.org"):
            for act in (OffboardPerson(ERIN, "", nobody), SuspendPerson(ERIN, "", nobody)):
                assert (await hall.refused(DANA, act)).code == "invalid"
        assert (await row(hall, ERIN)).state is PersonState.ACTIVE
        assert (await row(hall, CI)).responsible == ERIN

    run(play(tmp_path, story))


def test_whom_a_provider_takes_away_leaves_them_suspended_too(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hall.done(DANA, AddPerson(email=CI, kind=SERVICE, responsible=BOB.email))
        pushing(hall)
        hall.rules = rules(DANA)
        await push(hall, user(email="bob@example.org", active=True))

        await hall.done(PUSHER, RemoveUser(source=OKTA, id="u1"))

        assert (await row(hall, CI)).state is PersonState.SUSPENDED
        assert {each.email for each in hall.effects[-1].persons} == {CI, BOB.email}

    run(play(tmp_path, story))


def test_a_service_account_of_the_file_needs_no_row_to_be_left_alone(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await answering(hall)
        hall.rules = msgspec.structs.replace(hall.rules, filed={FILED: ALICE.email})

        gone = await hall.done(DANA, OffboardPerson(ERIN))

        assert FILED not in outcomes(gone)

    run(play(tmp_path, story))
