"""What a browser keeps of sign-ins, over the pages."""

from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE
from tests.torhaus.cast import run
from tests.torhaus.web.house import Browser, House, house
from torhaus.admin.throttle import ACCOUNT_FAILURES

WORD, OTHER = "correct horse battery", "another horse battery"
DEVICE = "__Host-torhaus-device"


async def barred(at: House) -> None:
    """Strangers have guessed at Alice's account until it waits for everybody."""
    for _ in range(ACCOUNT_FAILURES):
        at.reception.throttle.failed("198.51.100.7", ALICE.email)
    assert await sign_in(at.browser()) == 429


async def sign_in(browser: Browser, word: str = WORD) -> int:
    await browser.get("/login")
    return (await browser.post("/login", {"email": ALICE.email, "password": word})).status


def test_a_browser_that_was_in_comes_in_whoever_guesses(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            browser = await at.signed_in(ALICE, WORD)
            kept = browser.cookies[DEVICE]
            await browser.get("/me")
            await browser.post("/logout", {})
            assert browser.cookies == {DEVICE: kept}
            await barred(at)

            assert await sign_in(browser) == 303
            assert browser.cookies[DEVICE] != kept
            stolen = at.browser()
            stolen.cookies["torhaus-device"] = kept  # as a page without TLS could plant it
            assert await sign_in(stolen) == 429

    run(story())


def test_the_cookie_stays_half_a_year_and_no_script_reads_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            await at.signed_in(ALICE, WORD)
            browser = at.browser()
            await browser.get("/login")
            seen = await browser.post("/login", {"email": ALICE.email, "password": WORD})

            cookie = next(each for each in seen.cookies if each.startswith(DEVICE))
            for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=15552000"):
                assert flag in cookie
            assert ALICE.email not in cookie
            wrong = await at.browser().post("/login", {"email": ALICE.email, "password": "x"})
            assert not any("device" in each for each in wrong.cookies)

    run(story())


@pytest.mark.parametrize("where", ["this browser", "another"])
def test_who_changes_the_password_is_known_there_and_nowhere_else(
    tmp_path: Path, where: str
) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            browser, other = await at.signed_in(ALICE, WORD), at.browser()
            assert await sign_in(other) == 303
            at.hall.clock.turn(1)
            await browser.get("/me/security")
            new = {"do": "password", "old": WORD, "password": OTHER, "again": OTHER}
            assert (await browser.post("/me/security", new)).status == 303
            await browser.post("/logout", {})
            await barred(at)

            here = where == "this browser"
            assert await sign_in(browser if here else other, OTHER) == (303 if here else 429)

    run(story())
