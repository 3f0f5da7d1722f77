from pathlib import Path

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, rules
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.acts import (
    ChangePassword,
    Fresh,
    MakeResetLink,
    RenewRecovery,
    ResetPassword,
    SetSecondFactor,
    SignIn,
)
from torhaus.model.access import Access, Permission
from torhaus.model.accounts import Password
from torhaus.model.people import Phase, Principal
from torhaus.model.person import Person

NEW = Password(email="", hash="$argon2id$new")


async def account(at: Hall) -> None:
    made = Password(email=ALICE.email, hash="$old", second_factor=b"s", recovery=("a",))
    async with at.office.write() as desk:
        await desk.passwords.put(made)


async def kept(at: Hall) -> Password:
    async with at.office.read() as desk:
        found = await desk.passwords.get(ALICE.email)
    assert found is not None
    return found


def test_another_password_ends_all_sessions_but_this_one(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await account(at)
        mine = await at.done(ALICE, SignIn(Fresh(digest=b"a" * 32, provider="local")))
        await at.done(ALICE, SignIn(Fresh(digest=b"b" * 32, provider="local")))
        await at.done(BOB, SignIn(Fresh(digest=b"c" * 32, provider="local")))

        await at.done(ALICE, ChangePassword(NEW, mine.id))

        assert at.effects[-1].ended == (b"b" * 32,)
        assert (await kept(at)).hash == "$argon2id$new"
        assert (await kept(at)).second_factor == b"s"
        assert "argon2" not in str(at.ledger.durable)

    play(tmp_path, story)


def test_a_reset_link_counts_once_and_ends_every_session(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await account(at)
        await at.done(ALICE, SignIn(Fresh(digest=b"a" * 32, provider="local")))
        await at.done(DANA, MakeResetLink(ALICE.email, b"link", b"sealed"))

        await at.done(ALICE, ResetPassword(b"link", NEW))

        assert at.effects[-1].ended == (b"a" * 32,)
        assert (await kept(at)).second_factor == b"s"
        assert (await at.refused(ALICE, ResetPassword(b"link", NEW))).code == "conflict"

    play(tmp_path, story)


def test_only_administrators_make_reset_links_and_only_for_known_people(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await account(at)

        assert (await at.refused(BOB, MakeResetLink(ALICE.email, b"l", b"s"))).code == "not_allowed"
        unknown = await at.refused(DANA, MakeResetLink("x@example.org", b"l", b"s"))
        assert unknown.code == "not_found"
        await at.done(DANA, MakeResetLink(ALICE.email, b"l", b"s", second_factor=True))
        assert (await kept(at)).second_factor is None
        assert (await kept(at)).recovery == ()

    play(tmp_path, story)


def test_nobody_makes_a_link_to_the_account_of_somebody_who_may_more(tmp_path: Path) -> None:
    """Whoever administers every server gets at the password of whoever may everything."""
    access = {"*": Access(allows=(Permission("*", "*", "admin", "governor"),))}
    governor = Principal(id="g@x.org", email="g@x.org", phases=(Phase(access=access),))

    async def story(at: Hall) -> None:
        at.rules = rules(governor, ALICE, DANA)
        async with at.office.write() as desk:
            await desk.persons.put(Person(email="away@x.org", roles=("admin",)))
            await desk.persons.put(Person(email="new@x.org", roles=("empty",)))

        for email in (DANA.email, ALICE.email, "away@x.org"):
            refused = await at.refused(governor, MakeResetLink(email, b"link", b"sealed"))
            assert (refused.code, "all that he may" in refused.reason) == ("not_allowed", True)
        await at.done(governor, MakeResetLink("new@x.org", b"one", b"sealed"))
        await at.done(governor, MakeResetLink(governor.email, b"two", b"sealed"))
        await at.done(DANA, MakeResetLink(governor.email, b"three", b"sealed"))

    play(tmp_path, story)


def test_second_factor_and_recovery_codes_are_the_own_ones(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await account(at)
        await at.done(ALICE, SetSecondFactor(b"other", ("x", "y"), 7))
        assert (await kept(at)).last_step == 7
        await at.done(ALICE, RenewRecovery(("z",)))
        assert (await kept(at)).recovery == ("z",)
        await at.done(ALICE, SetSecondFactor(None))
        assert (await kept(at)).second_factor is None
        assert (await at.refused(ALICE, RenewRecovery(("z",)))).code == "not_found"
        assert (await at.refused(BOB, SetSecondFactor(b"x"))).code == "not_found"
        assert (await at.refused(BOB, ChangePassword(NEW, ""))).code == "not_found"

    play(tmp_path, story)
