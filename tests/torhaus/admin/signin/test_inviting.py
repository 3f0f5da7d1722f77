from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import ALICE, BOB, DANA, ROLES, Hall, person, rules
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.acts import AcceptInvitation
from torhaus.model.accounts import Invitation, Password
from torhaus.model.person import Person, PersonState

FRIDA = person("frida", "empty")
HASHED = Password(email="", hash="$argon2id$frida")


async def invited(at: Hall, **changes: object) -> None:
    made = Invitation(
        id="i1",
        digest=b"t",
        email=FRIDA.email,
        roles=("developer",),
        access_ends=at.clock() + 9999,
        created_by=DANA.email,
        expires=at.clock() + 60,
    )
    async with at.office.write() as desk:
        await desk.invitations.add(msgspec.structs.replace(made, **changes))


def test_who_accepts_is_active_with_what_was_meant_for_him(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await invited(at)

        await at.done(FRIDA, AcceptInvitation(b"t", HASHED))

        async with at.office.read() as desk:
            person, account = (
                await desk.persons.get(FRIDA.email),
                await desk.passwords.get(FRIDA.email),
            )
        assert person is not None
        assert (person.state, person.roles) == (PersonState.ACTIVE, ("developer",))
        assert (person.expires, person.created_by) == (at.clock() + 9999, DANA.email)
        assert account is not None
        assert account.hash == HASHED.hash
        assert at.effects[-1].people
        assert (await at.refused(FRIDA, AcceptInvitation(b"t", HASHED))).code == "conflict"

    play(tmp_path, story)


def test_an_invitation_is_for_its_address_for_its_time_and_not_for_those_who_left(
    tmp_path: Path,
) -> None:
    async def story(at: Hall) -> None:
        await invited(at)
        assert (await at.refused(BOB, AcceptInvitation(b"t", HASHED))).code == "conflict"
        assert (await at.refused(FRIDA, AcceptInvitation(b"x", HASHED))).code == "conflict"
        async with at.office.write() as desk:
            await desk.persons.put(Person(email=FRIDA.email, state=PersonState.GONE))
        assert (await at.refused(FRIDA, AcceptInvitation(b"t", HASHED))).code == "conflict"
        async with at.office.write() as desk:
            await desk.persons.put(Person(email=FRIDA.email, state=PersonState.INVITED))
        at.clock.turn(60)
        assert (await at.refused(FRIDA, AcceptInvitation(b"t", HASHED))).code == "conflict"
        at.clock.turn(-1)
        await at.done(FRIDA, AcceptInvitation(b"t", HASHED))

    play(tmp_path, story)


def test_what_the_sender_could_not_give_any_more_is_not_given(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await invited(at)
        everybody = at.rules
        less = person("dana", "developer")
        gone = {each: ROLES[each] for each in ROLES if each != "developer"}
        for changed in (
            rules(ALICE),
            rules(less),
            rules(msgspec.structs.replace(DANA, expires=at.clock())),
            msgspec.structs.replace(everybody, role_access=gone),
        ):
            at.rules = changed
            refusal = await at.refused(FRIDA, AcceptInvitation(b"t", HASHED))
            assert refusal.code == "conflict"
        at.rules = everybody
        async with at.office.write() as desk:
            await desk.persons.put(
                Person(email=DANA.email, owner="file", state=PersonState.SUSPENDED)
            )
        assert (await at.refused(FRIDA, AcceptInvitation(b"t", HASHED))).code == "conflict"
        async with at.office.write() as desk:
            assert await desk.passwords.get(FRIDA.email) is None
            await desk.persons.put(Person(email=DANA.email, owner="file"))
        await at.done(FRIDA, AcceptInvitation(b"t", HASHED))

    play(tmp_path, story)


def test_a_link_does_not_open_the_account_of_whom_the_file_has_made_more_since(
    tmp_path: Path,
) -> None:
    async def story(at: Hall) -> None:
        await invited(at)
        before = at.rules
        boss = person("frida", "admin")
        at.rules = rules(*before.principals.values(), boss)

        refusal = await at.refused(boss, AcceptInvitation(b"t", HASHED))

        assert refusal.code == "conflict"
        async with at.office.read() as desk:
            assert await desk.passwords.get(boss.email) is None
        at.rules = before
        await at.done(FRIDA, AcceptInvitation(b"t", HASHED))

    play(tmp_path, story)
