from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.cast import run
from tests.torhaus.web.house import house
from torhaus.admin.signin.outcome import LOST, WAIT, WRONG_CODE, WRONG_PASSWORD
from torhaus.admin.signin.own import TOO_LONG, TOO_SHORT, YOUR_ADDRESS, unfit


@pytest.mark.parametrize(
    ("password", "why"),
    [
        ("", TOO_SHORT),
        ("elevenchars", TOO_SHORT),
        ("x" * 1025, TOO_LONG),
        ("Alice@Example.org", YOUR_ADDRESS),
        ("a few plain words", ""),
        ("\u00e4\u00f6\u00fc" * 4, ""),
    ],
)
def test_what_is_a_password(password: str, why: str) -> None:
    assert unfit(password, "alice@example.org") == why


def test_the_own_password_changes_with_the_old_one_only_and_guessing_waits(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.account(ALICE, "correct horse")
            own = at.reception.own
            new = "another horse"

            assert await own.change_password(ALICE, "", "wrong", new, "ip") == WRONG_PASSWORD
            assert await own.change_password(ALICE, "", "correct horse", "short", "ip") == TOO_SHORT
            assert await own.change_password(ALICE, "", "correct horse", new, "ip") == ""
            assert (
                await own.change_password(ALICE, "", "correct horse", new, "ip") == WRONG_PASSWORD
            )
            for _ in range(18):
                await own.change_password(ALICE, "", "wrong", new, "ip")
            assert await own.change_password(ALICE, "", new, "a third horse", "ip") == WAIT

    run(story())


def test_a_second_factor_is_set_up_in_the_browser_that_began(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.account(ALICE, "correct horse")
            own = at.reception.own
            ticket, secret, _ = await own.begin_factor(
                ALICE.email, b"browser", "correct horse", "ip"
            )

            assert await own.finish_factor(ALICE, b"other", ticket, "000000", "") == ((), b"", LOST)
            wrong = await own.finish_factor(ALICE, b"browser", ticket, "000000", "")
            assert wrong == ((), secret, WRONG_CODE)
            assert not (await own.standing(ALICE.email)).factor

    run(story())
