from collections.abc import Callable
from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, BOB
from tests.torhaus.admin.oauth.lobby import CURSOR, Lobby, play
from tests.torhaus.cast import run
from torhaus.admin.acts import Done, Scene
from torhaus.admin.oauth.acts import Denied
from torhaus.admin.people.crowding import (
    ASSERTED,
    CROWDED,
    MOST,
    MOST_ASSERTED,
    MOST_TOKENS,
    Room,
    room,
)
from torhaus.admin.perform import Admin
from torhaus.admin.signin.acts import Fresh, SignIn
from torhaus.admin.signin.works import SIGNIN_WORKS
from torhaus.model.credentials import Family, FamilyKind


async def _live(at: Lobby, email: str = ALICE.email) -> list[str]:
    now = at.hall.clock()
    async with at.hall.office.read() as desk:
        kept = await desk.families.of(email)
    return [each.id for each in kept if each.ended is None and each.expires > now]


async def _fill(at: Lobby, count: int, kind: FamilyKind, name: Callable[[int], str]) -> None:
    now = at.hall.clock()
    for number in range(count):
        made = Family(
            id=name(number),
            kind=kind,
            email=ALICE.email,
            created=now - count,
            used=now - count + number,
            expires=now + 3600,
        )
        async with at.hall.office.write() as desk:
            await desk.families.add(made)


def test_whoever_signs_in_for_the_51st_time_ends_the_session_that_rested_longest(
    tmp_path: Path,
) -> None:
    async def story(at: Lobby) -> None:
        at.hall.admin = Admin(at.hall.means, at.hall.happened, SIGNIN_WORKS)
        for number in range(MOST[FamilyKind.SESSION] + 1):
            at.hall.clock.turn(1)
            fresh = Fresh(digest=number.to_bytes(32, "big"), provider="local")
            await at.hall.done(ALICE, SignIn(fresh))
        await at.hall.done(BOB, SignIn(Fresh(digest=b"b" * 32, provider="local")))

        live = await _live(at)
        assert len(live) == MOST[FamilyKind.SESSION]
        assert len(await _live(at, BOB.email)) == 1
        async with at.hall.office.read() as desk:
            every = await desk.families.of(ALICE.email)
        [first] = [each for each in every if each.ended is not None]
        assert (first, first.reason) == (every[-1], CROWDED)
        effect = at.hall.effects[-2]
        assert effect.ended == ((0).to_bytes(32, "big"),)
        assert effect.act.facts["made_room"] == [first.id]

    run(play(tmp_path, story))


def test_one_program_more_is_let_in_in_the_place_of_the_one_that_rested_longest(
    tmp_path: Path,
) -> None:
    async def story(at: Lobby) -> None:
        await at.begin()
        await at.register(CURSOR)
        await _fill(at, MOST[FamilyKind.CONSENT], FamilyKind.CONSENT, lambda n: f"con-{n}")

        assert isinstance(await at.consent(), Done)

        live = await _live(at)
        assert "con-0" not in live
        assert {"con-1", "con_1", "ses_1"} <= set(live)
        assert len(live) == MOST[FamilyKind.CONSENT] + 1

    run(play(tmp_path, story))


@pytest.mark.parametrize("most", [MOST_ASSERTED])
def test_assertions_make_room_among_themselves(most: int, tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        await _fill(at, most, FamilyKind.CONSENT, lambda n: f"{ASSERTED}{n}")
        scene = Scene(actor=ALICE, rules=at.hall.rules, now=at.hall.clock(), id="x")
        async with at.hall.office.write() as desk:
            consent = await room(desk, scene, ALICE.email, "con_1", FamilyKind.CONSENT)
            asserted = await room(desk, scene, ALICE.email, f"{ASSERTED}x", FamilyKind.CONSENT)

        assert (consent, consent.facts()) == (Room(), {})
        assert asserted.ids == (f"{ASSERTED}0",)

    run(play(tmp_path, story))


def test_a_program_that_refreshes_without_end_holds_a_hundred_tokens(tmp_path: Path) -> None:
    async def story(at: Lobby) -> None:
        first = got = await at.begun()
        for _ in range(MOST_TOKENS):
            assert await at.lives(first.access)
            got = await at.refresh(got.refresh)

        assert not isinstance(got, Denied)
        assert not await at.lives(first.access)
        assert await at.lives(got.access)
        assert len(at.hall.effects[-1].ended) == 1
        async with at.hall.office.read() as desk:
            assert len(await desk.credentials.live(at.hall.clock())) == MOST_TOKENS

    run(play(tmp_path, story))
