from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.admin.hall import BOB, DANA, Hall, play, rules
from tests.torhaus.admin.people.staff import ERIN, hired, steward, stewards
from tests.torhaus.cast import NOW, github, run
from torhaus.admin.inviting.acts import Invite, RenewInvitation, RevokeInvitation
from torhaus.admin.inviting.deciding import MOST_WAITING, TOO_MANY
from torhaus.admin.inviting.works import INVITING_WORKS
from torhaus.admin.people.acts import OffboardPerson
from torhaus.admin.people.works import PEOPLE_WORKS
from torhaus.admin.perform import Admin
from torhaus.model.accounts import Invitation


def inviting(hall: Hall) -> None:
    hall.admin = Admin(hall.means, hall.happened, {**PEOPLE_WORKS, **INVITING_WORKS})
    hall.rules = rules(servers={"github": github()})


def asked(email: str = ERIN, **more: Any) -> Invite:
    usual = {"digest": b"t" * 32, "roles": ("developer",), "expires": NOW + 60}
    return Invite(**{"email": email, **usual, **more})


def test_somebody_is_asked_in_once_and_not_any_more(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        inviting(hall)
        act = asked("Erin@Example.org", servers=("github",), access_ends=NOW + 99, message=" hi ")

        made = await hall.done(DANA, act)

        assert (made.email, made.servers, made.message) == (ERIN, ("github",), "hi")
        told = hall.parameters()
        assert (told["person"], told["roles"]) == (ERIN, ["developer"])
        assert "7474" not in str(told)
        assert (await hall.refused(DANA, asked())).code == "conflict"
        gone = await hall.done(DANA, RevokeInvitation(made.id))
        assert gone.state == "revoked"
        assert (await hall.refused(DANA, RevokeInvitation(made.id))).code == "conflict"
        again = RenewInvitation(id=made.id, digest=b"n", expires=NOW + 60)
        assert (await hall.refused(DANA, again)).code == "conflict"
        await hall.done(DANA, asked(digest=b"u"))

    run(play(tmp_path, story))


def test_another_link_ends_the_one_before(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        inviting(hall)
        made = await hall.done(DANA, asked())

        await hall.done(DANA, RenewInvitation(id=made.id, digest=b"new", expires=NOW + 90))

        async with hall.office.read() as desk:
            assert await desk.invitations.sent(b"t" * 32) is None
            found = await desk.invitations.sent(b"new")
        assert found is not None
        assert found.expires == NOW + 90

    run(play(tmp_path, story))


def test_one_sender_can_have_so_many_that_wait(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        inviting(hall)
        async with hall.office.write() as desk:
            for number in range(MOST_WAITING):
                who = f"p{number}@example.org"
                times = {"created_by": DANA.email, "expires": NOW + 60 + number}
                waiting = Invitation(
                    id=f"i{number}", digest=f"{number}".encode(), email=who, **times
                )
                await desk.invitations.add(waiting)

        refused = await hall.refused(DANA, asked())
        assert (refused.code, refused.reason) == ("conflict", TOO_MANY)
        await hall.done(DANA, RenewInvitation(id="i7", digest=b"n", expires=NOW + 67))
        hall.clock.turn(60)
        renewed = RenewInvitation(id="i0", digest=b"o", expires=NOW + 3600)
        made = await hall.done(DANA, asked(expires=NOW + 3600))
        assert (await hall.refused(DANA, renewed)).reason == TOO_MANY
        await hall.done(DANA, RevokeInvitation(made.id))
        await hall.done(DANA, renewed)

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    "more",
    [
        {"email": "erin"},
        {"email": "erin@example.org\nbcc: x@y"},
        {"roles": ()},
        {"roles": ("wizard",)},
        {"servers": ("nowhere",)},
        {"expires": NOW - 1},
        {"expires": NOW + 91 * 86400},
        {"access_ends": NOW - 1},
        {"message": "x" * 1001},
        {"message": "a\x1b[2J"},
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, more: dict[str, Any]) -> None:
    async def story(hall: Hall) -> None:
        inviting(hall)
        assert (await hall.refused(DANA, asked(**more))).code == "invalid"

    run(play(tmp_path, story))


def test_nobody_invites_to_more_than_he_could_give(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        inviting(hall)
        assert (await hall.refused(BOB, asked())).code == "not_allowed"
        stewards(hall)
        lead = asked(roles=("tech_lead",))
        assert (await hall.refused(steward("people"), lead)).code == "not_allowed"
        made = await hall.done(DANA, lead)
        again = RenewInvitation(id=made.id, digest=b"n", expires=NOW + 60)
        assert (await hall.refused(steward("people"), again)).code == "not_allowed"
        assert (await hall.refused(DANA, RevokeInvitation("x"))).code == "not_found"

    run(play(tmp_path, story))


def test_who_is_here_or_was_offboarded_is_not_asked_in(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        inviting(hall)
        await hired(hall)
        assert (await hall.refused(DANA, asked())).code == "conflict"
        await hall.done(DANA, OffboardPerson(ERIN))
        hall.rules = rules()
        assert "anew" in (await hall.refused(DANA, asked())).fix

    run(play(tmp_path, story))
