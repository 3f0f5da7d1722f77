import msgspec

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE, BOB
from tests.torhaus.store.state.requests import NOW
from torhaus.model.accounts import Invitation

ASKED = Invitation(
    id="i1",
    digest=b"\x00\xfe",
    email=ALICE,
    roles=("developer",),
    servers=("github",),
    message="welcome",
    access_ends=NOW + 9000,
    created=NOW,
    created_by=BOB,
    expires=NOW + 600,
)


def test_an_invitation_is_found_by_its_link_and_answered_once(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.invitations.add(ASKED)
            assert await desk.invitations.sent(b"\x00\xfe") == ASKED
            assert await desk.invitations.sent(b"x") is None
            assert await desk.invitations.decide("i1", "accepted", NOW + 1)
            assert not await desk.invitations.decide("i1", "withdrawn", NOW + 2)
            kept = msgspec.structs.replace(ASKED, state="accepted", decided_at=NOW + 1)
            assert await desk.invitations.get("i1") == kept
            assert await desk.invitations.newest(5) == [kept]

    run(story())


def test_a_link_is_made_anew_while_nobody_has_answered(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.invitations.add(ASKED)
            assert await desk.invitations.waiting(ALICE, NOW)
            assert not await desk.invitations.waiting(ALICE, NOW + 600)
            assert not await desk.invitations.waiting(BOB, NOW)
            fresh = msgspec.structs.replace(ASKED, digest=b"n", expires=NOW + 900)
            assert await desk.invitations.renew(fresh)
            await desk.invitations.deliver("i1", "sent")
            assert await desk.invitations.sent(b"\x00\xfe") is None
            kept = msgspec.structs.replace(fresh, delivery="sent")
            assert await desk.invitations.sent(b"n") == kept
            assert await desk.invitations.decide("i1", "revoked", NOW)
            assert not await desk.invitations.renew(ASKED)
            assert not await desk.invitations.waiting(ALICE, NOW)

    run(story())


def test_those_that_could_still_be_answered_are_counted_for_their_sender(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number, (state, by, expires) in enumerate(
                [
                    ("pending", BOB, 600),
                    ("pending", BOB, 601),
                    ("pending", ALICE, 601),
                    ("revoked", BOB, 601),
                    ("pending", BOB, 0),
                ]
            ):
                few = {"id": f"i{number}", "digest": bytes([number]), "created_by": by}
                times = {"state": state, "expires": NOW + expires}
                await desk.invitations.add(msgspec.structs.replace(ASKED, **few, **times))

            assert await desk.invitations.unanswered(BOB, NOW) == 2
            assert await desk.invitations.unanswered(BOB, NOW + 600) == 1
            assert await desk.invitations.unanswered("carol@example.com", NOW) == 0

    run(story())


def test_those_whose_link_is_long_over_are_forgotten_whatever_became_of_them(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number, state in enumerate(("pending", "accepted", "revoked")):
                few = {"id": f"i{number}", "digest": bytes([number]), "state": state}
                await desk.invitations.add(msgspec.structs.replace(ASKED, **few))

            await desk.invitations.forget(ASKED.expires)
            assert len(await desk.invitations.newest(9)) == 3
            await desk.invitations.forget(ASKED.expires + 1)
            assert await desk.invitations.newest(9) == []

    run(story())
