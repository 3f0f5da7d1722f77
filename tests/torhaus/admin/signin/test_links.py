from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, rules
from tests.torhaus.cast import run
from tests.torhaus.web.house import House, house
from torhaus.admin.signin.first import LASTS
from torhaus.admin.signin.links import NO_ADDRESS, OVER, NewPassword
from torhaus.admin.signin.own import NOT_THE_SAME, TOO_SHORT
from torhaus.model.person import Person, PersonState
from torhaus.model.signin import LocalAccounts

GOOD = NewPassword("correct horse", "correct horse")


def on_disk(home: Path) -> bytes:
    return b"".join(path.read_bytes() for path in home.glob("state.db*"))


def empty(at: House) -> None:
    at.hall.rules = rules(ALICE, keys={})


def test_a_link_is_made_at_each_start_until_somebody_administers(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            links = at.reception.links
            assert await links.setup() is None
            empty(at)
            first = await links.setup()
            second = await links.setup()
            assert first is not None
            assert second is not None
            assert await links.first(first, "f@example.org", "F", GOOD, "") == OVER
            assert await links.first(second, "no address", "F", GOOD, "") == NO_ADDRESS
            assert await links.first(second, "f@example.org", "F", NewPassword("x", "x"), "") == (
                TOO_SHORT
            )
            different = NewPassword("correct horse", "another horse")
            assert await links.first(second, "f@example.org", "F", different, "") == NOT_THE_SAME
            assert await links.first(second, " F@Example.org ", "F", GOOD, "") == ""
            assert await links.first(second, "g@example.org", "G", GOOD, "") == OVER
            assert await links.setup() is None
            assert "f@example.org" in at.hall.rules.principals

    run(story())


def test_the_link_is_over_after_a_day_and_without_local_accounts_there_is_none(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            empty(at)
            token = await at.reception.links.setup()
            assert token is not None
            at.hall.clock.turn(LASTS)
            assert await at.reception.links.first(token, "f@example.org", "", GOOD, "") == OVER
            at.local[0] = LocalAccounts(enabled=False)
            assert await at.reception.links.setup() is None

    run(story())


def test_the_token_is_not_what_is_kept(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            empty(at)
            token = await at.reception.links.setup()

        kept = on_disk(tmp_path)
        assert token is not None
        assert token.encode() not in kept
        assert bytes.fromhex(token) not in kept

    run(story())


def test_a_reset_link_is_an_administrators_and_counts_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.account(ALICE, "correct horse")
            links = at.reception.links
            none, refused = await links.reset_link(BOB, ALICE.email, "", second_factor=False)
            token, fine = await links.reset_link(DANA, ALICE.email, "", second_factor=False)

            assert none == ""
            assert refused is not None
            assert fine is None
            assert await links.reset(token, NewPassword("short", "short"), "") == TOO_SHORT
            assert await links.reset(token, GOOD, "") == ""
            assert await links.reset(token, GOOD, "") == OVER
            assert await links.reset("\ud800", GOOD, "") == OVER

    run(story())


def test_an_invitation_that_is_answered_or_over_is_none(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            assert await at.reception.links.invited("no such token") is None
            assert await at.reception.links.accept("no such token", GOOD, "") == OVER

    run(story())


def test_the_first_of_two_links_to_one_password_ends_the_other(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.account(ALICE, "correct horse")
            links = at.reception.links
            first, _ = await links.reset_link(DANA, ALICE.email, "", second_factor=False)
            second, _ = await links.reset_link(DANA, ALICE.email, "", second_factor=False)
            at.hall.clock.turn(1)

            assert await links.reset(first, GOOD, "") == ""

            assert await links.reset(second, GOOD, "") != ""

    run(story())


@pytest.mark.parametrize("state", [PersonState.SUSPENDED, PersonState.GONE])
def test_a_reset_link_is_nothing_to_whoever_may_not_come_in(
    state: PersonState, tmp_path: Path
) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            links = at.reception.links
            token, _ = await links.reset_link(DANA, ALICE.email, "", second_factor=False)
            async with at.hall.office.write() as desk:
                await desk.persons.put(Person(email=ALICE.email, state=state))

            assert await links.reset(token, GOOD, "") != ""

            async with at.hall.office.read() as desk:
                assert await desk.passwords.get(ALICE.email) is None

    run(story())


def test_a_service_account_gets_no_link_to_a_password(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            program = msgspec.structs.replace(ALICE, responsible=BOB.email)
            known = {**at.hall.rules.principals, ALICE.id: program}
            at.hall.rules = msgspec.structs.replace(at.hall.rules, principals=known)

            token, refusal = await at.reception.links.reset_link(
                DANA, ALICE.email, "", second_factor=False
            )

            assert (token, refusal and refusal.code) == ("", "invalid")

    run(story())


def test_there_is_no_link_to_a_password_that_opens_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            links = at.reception.links
            before, _ = await links.reset_link(DANA, ALICE.email, "", second_factor=False)
            at.local[0] = LocalAccounts(enabled=False)

            none, refused = await links.reset_link(DANA, ALICE.email, "", second_factor=False)
            page = await at.browser().get("/login")

            assert none == ""
            assert refused is not None
            assert (refused.code, refused.reason) == (
                "invalid",
                "passwords of Torhaus open nothing here",
            )
            assert await links.reset(before, GOOD, "") == OVER
            assert "Forgotten" not in page.text

    run(story())
