from pathlib import Path

from tests.torhaus.admin.hall import BOB, DANA, Hall, play
from tests.torhaus.admin.people.staff import ERIN, hired, keyed
from tests.torhaus.admin.test_vaulting import connection
from tests.torhaus.cast import NOW, run
from tests.torhaus.store.state.people import credential, family
from torhaus.admin.acts import DecideAccess, RequestAccess
from torhaus.admin.people.acts import OffboardPerson
from torhaus.model.accounts import Invitation, Link, Password
from torhaus.model.approval import State
from torhaus.model.credentials import CredentialKind, FamilyKind
from torhaus.model.grant import Asked
from torhaus.model.person import Membership, PersonState, Team


async def lived(hall: Hall) -> str:
    """Erin has one of everything, and Bob a session; the id of her request for approval."""
    await hired(hall)
    erin = hall.rules.principals[ERIN]
    for name in ("one", "two"):
        await keyed(hall, name=name)
    asked = await hall.done(erin, RequestAccess("tech_lead", 3600.0))
    await hall.done(DANA, DecideAccess(asked.id, True))
    await hall.done(erin, RequestAccess("on_call", 3600.0))
    ends = NOW + 60
    consent = family("f2", email=ERIN, kind=FamilyKind.CONSENT, expires=ends)
    own = {"email": ERIN, "expires": ends}
    async with hall.office.write() as desk:
        await desk.families.add(family("f1", **own))
        await desk.families.add(consent)
        await desk.families.add(family("f3", email=BOB.email, expires=ends))
        for made in (
            credential("c1", family="f1", kind=CredentialKind.SESSION, **own),
            credential("t1", family="f2", kind=CredentialKind.ACCESS, **own),
            credential("t2", family="f3", email=BOB.email, expires=ends),
        ):
            await desk.credentials.add(made, "")
        await desk.vault.add(connection(hall, ERIN))
        await desk.teams.put(Team(name="web"))
        await desk.teams.join(Membership("web", ERIN, "database"))
    approval = await hall.asked(requester=ERIN, email=ERIN)
    await hall.asked()
    return approval.id


def test_offboarding_closes_everything_at_once_and_says_how_much(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await lived(hall)

        gone = await hall.done(DANA, OffboardPerson(ERIN, "left the company"))

        once = ("tokens", "sessions", "consents", "grants", "requests", "approvals", "teams")
        once += ("connections",)
        assert gone.closed == {"keys": 2, **dict.fromkeys((*once, "keys_of_file"), 1)}
        effect = hall.effects[-1]
        assert len(effect.ended) == 4
        assert effect.grants
        assert gone.person.state is PersonState.GONE
        assert hall.parameters()["closed"]["keys"] == 2
        assert hall.ends()[-1] == ("person.offboarded", DANA.email, "success")

    run(play(tmp_path, story))


def test_nothing_of_his_goes_on_and_all_of_others_does(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        approval = await lived(hall)

        await hall.done(DANA, OffboardPerson(ERIN))

        async with hall.office.read() as desk:
            assert [each.id for each in await desk.credentials.live(NOW)] == ["t2"]
            assert await desk.access.in_force(NOW) == []
            assert await desk.access.requests(Asked.PENDING, 10) == []
            moved, living = await desk.approvals.get(approval), await desk.families.get("f3")
            assert (moved is not None and moved.state) is State.CANCELLED
            assert len(await desk.approvals.newest(State.PENDING, 10)) == 1
            assert await desk.teams.members() == []
            assert living is not None
            assert living.ended is None

    run(play(tmp_path, story))


def test_who_gets_a_freed_address_gets_none_of_the_ways_in_of_who_had_it(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await lived(hall)
        async with hall.office.write() as desk:
            await desk.passwords.put(Password(email=ERIN, hash="$argon2id$erin"))
            await desk.identities.put(Link(issuer="i", subject="s", email=ERIN, provider="corp"))

        gone = await hall.done(DANA, OffboardPerson(ERIN))

        async with hall.office.read() as desk:
            assert await desk.passwords.get(ERIN) is None
            assert await desk.identities.of(ERIN) == []
        assert gone.closed["passwords"] == gone.closed["accounts"] == 1

    run(play(tmp_path, story))


def test_invitations_of_who_goes_are_taken_back_and_told(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        async with hall.office.write() as desk:
            for id, email, by, state in (
                ("i1", "grace@example.org", ERIN, "pending"),
                ("i2", "heidi@example.org", ERIN, "accepted"),
                ("i3", "ivan@example.org", DANA.email, "pending"),
            ):
                made = Invitation(
                    id=id,
                    digest=id.encode(),
                    email=email,
                    state=state,
                    created_by=by,
                    expires=NOW + 9,
                )
                await desk.invitations.add(made)

        gone = await hall.done(DANA, OffboardPerson(ERIN))

        assert gone.closed["invitations_sent"] == 1
        assert hall.parameters()["closed"]["invitations_sent"] == 1
        async with hall.office.read() as desk:
            found = {each.id: each.state for each in await desk.invitations.newest(9)}
        assert found == {"i1": "revoked", "i2": "accepted", "i3": "pending"}

    run(play(tmp_path, story))
