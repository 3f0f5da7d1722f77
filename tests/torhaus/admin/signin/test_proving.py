from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, Hall
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.acts import LOCAL, Fresh, SignIn
from torhaus.admin.signin.proving import Proving
from torhaus.model.accounts import Link
from torhaus.model.credentials import Family, FamilyKind

FRESH = Fresh(digest=b"c" * 32, provider="local")


def proving(at: Hall, within: float = 900.0) -> Proving:
    return Proving(at.office, lambda: within, at.clock)


async def came(at: Hall, proved: float | None, issuer: str | None = "https://idp.example") -> str:
    """Somebody has come from a provider, which says when he has proved himself."""
    now = at.clock()
    made = Family(
        id="ses_1",
        kind=FamilyKind.SESSION,
        email=ALICE.email,
        issuer=issuer,
        subject="s",
        proved=proved,
        created=now,
        used=now,
        expires=now + 8 * 3600,
    )
    async with at.office.write() as desk:
        await desk.families.add(made)
    return made.id


def test_a_password_is_a_proof_for_a_quarter_of_an_hour(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        session = (await at.done(ALICE, SignIn(FRESH))).id
        found = proving(at)

        assert await found.lately(session)
        assert await found.way(session) == LOCAL
        at.clock.turn(899)
        assert await found.lately(session)
        assert found.signed_in_lately(at.clock() - 899)
        at.clock.turn(1)
        assert not await found.lately(session)
        assert not found.signed_in_lately(at.clock() - 900)
        assert await proving(at, 0.0).lately(session)
        assert proving(at, 0.0).signed_in_lately(0.0)

    play(tmp_path, story)


@pytest.mark.parametrize(("ago", "lately"), [(None, False), (901.0, False), (899.0, True)])
def test_of_a_provider_its_own_word_counts_and_not_when_he_came(
    ago: float | None, lately: bool, tmp_path: Path
) -> None:
    async def story(at: Hall) -> None:
        session = await came(at, None if ago is None else at.clock() - ago)

        assert await proving(at).lately(session) is lately

    play(tmp_path, story)


def test_a_proof_of_the_future_is_none(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        session = await came(at, at.clock() + 3600)

        assert not await proving(at).lately(session)

    play(tmp_path, story)


def test_he_comes_by_the_way_he_came_as_long_as_it_is_known(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        session = await came(at, None)
        assert await proving(at).way(session) is None
        async with at.office.write() as desk:
            await desk.identities.put(
                Link(
                    issuer="https://idp.example",
                    subject="s",
                    email=ALICE.email,
                    provider="corp",
                    linked=0.0,
                    seen=0.0,
                )
            )

        assert await proving(at).way(session) == "corp"
        assert await proving(at).way("ses_none") is None

    play(tmp_path, story)


def test_a_session_takes_the_place_of_his_other_one_and_of_nobody_elses(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        old = (await at.done(ALICE, SignIn(FRESH))).id
        theirs = (await at.done(BOB, SignIn(Fresh(digest=b"b" * 32, provider="local")))).id

        again = Fresh(digest=b"d" * 32, provider="local", replaces=old)
        new = (await at.done(ALICE, SignIn(again))).id
        assert at.effects[-1].ended == (b"c" * 32,)
        assert at.parameters()["replaces"] == old
        await at.done(ALICE, SignIn(Fresh(digest=b"e" * 32, provider="local", replaces=theirs)))
        assert at.effects[-1].ended == ()
        await at.done(ALICE, SignIn(Fresh(digest=b"f" * 32, provider="local", replaces="none")))

        async with at.office.read() as desk:
            found = [await desk.families.get(each) for each in (old, new, theirs)]
        assert [each.ended is None for each in found if each is not None] == [False, True, True]

    play(tmp_path, story)
