from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, Hall
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.acts import (
    SESSION,
    Fresh,
    ProviderSignOut,
    RefuseSignIn,
    SignIn,
    SignOut,
)
from torhaus.model.accounts import Leaving
from torhaus.model.credentials import CredentialKind, Family, FamilyKind
from torhaus.model.person import Person, PersonKind, PersonState

FRESH = Fresh(digest=b"c" * 32, provider="local", agent="Firefox on Linux", ip="192.0.2.7")


def test_a_session_is_a_family_with_one_credential_for_eight_hours(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        family = await at.done(ALICE, SignIn(FRESH))

        assert family.kind is FamilyKind.SESSION
        assert (family.label, family.ip) == ("Firefox on Linux", "192.0.2.7")
        issued = at.effects[-1].issued[0]
        assert issued.kind is CredentialKind.SESSION
        assert issued.expires == at.clock() + SESSION
        async with at.office.read() as desk:
            kept = await desk.credentials.get(b"c" * 32)
        assert kept is not None
        assert kept.credential == issued

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (PersonState.SUSPENDED, "suspended"),
        (PersonState.GONE, "has ended"),
        (PersonState.INVITED, "invitation"),
    ],
)
def test_who_may_not_come_in_is_told_why(state: PersonState, said: str, tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        async with at.office.write() as desk:
            await desk.persons.put(Person(email=ALICE.email, owner="file", state=state))

        refused = await at.refused(ALICE, SignIn(FRESH))

        assert said in refused.reason
        assert at.ends()[-1] == ("signin.refused", ALICE.email, "denied")

    play(tmp_path, story)


def test_a_program_does_not_sign_in(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        async with at.office.write() as desk:
            await desk.persons.put(Person(email=ALICE.email, kind=PersonKind.SERVICE))

        assert "service account" in (await at.refused(ALICE, SignIn(FRESH))).reason

    play(tmp_path, story)


def test_a_ticket_counts_once(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        async with at.office.write() as desk:
            await desk.departures.add(Leaving(digest=b"t", kind="code", expires=at.clock() + 9))
        ticket = Fresh(digest=b"d" * 32, provider="local", ticket=b"t")

        await at.done(ALICE, SignIn(ticket))

        assert "already been used" in (await at.refused(ALICE, SignIn(ticket))).reason

    play(tmp_path, story)


def test_only_the_own_session_can_be_ended_and_only_once(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        family = await at.done(ALICE, SignIn(FRESH))

        assert (await at.refused(BOB, SignOut(family.id))).code == "not_found"
        await at.done(ALICE, SignOut(family.id))
        assert at.effects[-1].ended == (b"c" * 32,)
        assert (await at.refused(ALICE, SignOut(family.id))).code == "not_found"

    play(tmp_path, story)


def test_a_provider_ends_sessions_and_the_consents_given_in_them(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        until = at.clock() + 99
        told = {"issuer": "https://idp", "subject": "u", "provider_session": "s"}
        async with at.office.write() as desk:
            for id, kind, more in (
                ("f1", FamilyKind.SESSION, told),
                ("f2", FamilyKind.CONSENT, {"parent": "f1"}),
                ("f3", FamilyKind.SESSION, {"issuer": "https://idp", "subject": "other"}),
            ):
                made = Family(id=id, kind=kind, email=ALICE.email, expires=until, **more)
                await desk.families.add(made)
        out = ProviderSignOut("https://idp", "corp", "j1", until, "u", "s")

        assert await at.done(ALICE, out) == 1

        async with at.office.read() as desk:
            ended = {id: (await desk.families.get(id)) for id in ("f1", "f2", "f3")}
        assert {id: each is not None and each.ended is not None for id, each in ended.items()} == {
            "f1": True,
            "f2": True,
            "f3": False,
        }
        assert (await at.refused(ALICE, out)).code == "conflict"

    play(tmp_path, story)


def test_a_refusal_leaves_its_record(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await at.refused(ALICE, RefuseSignIn("corp", "no such code"))

        assert at.parameters()["provider"] == "corp"
        assert at.ledger.durable[-1].result.status == "denied"

    play(tmp_path, story)


def test_service_accounts_of_the_file_do_not_sign_in(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        program = msgspec.structs.replace(ALICE, responsible=BOB.email)
        at.rules = msgspec.structs.replace(at.rules, principals={ALICE.id: program})

        assert "service account" in (await at.refused(ALICE, SignIn(FRESH))).reason

    play(tmp_path, story)
