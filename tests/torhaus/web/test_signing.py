import re
import statistics
import time
from base64 import b32decode
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.torhaus.admin.hall import ALICE, DANA
from tests.torhaus.cast import run
from tests.torhaus.web.house import Browser, House, hidden, house
from torhaus.identity.keys import well_formed
from torhaus.model.signin import LocalAccounts

PASSWORD = "correct horse battery"


def play(home: Path, story: Any) -> None:
    async def played() -> None:
        async with house(home) as made:
            await story(made)

    run(played())


async def typed(
    at: House, email: str, password: str = PASSWORD, next: str = ""
) -> tuple[Browser, Any]:
    browser = at.browser()
    await browser.get("/login" + (f"?next={next}" if next else ""))
    return browser, await browser.post(
        "/login", {"email": email, "password": password, "next": next}
    )


def code(secret: str, at: float) -> str:
    key = b32decode(secret.replace(" ", ""))
    return TOTP(key, 6, SHA1(), 30, enforce_key_length=False).generate(int(at)).decode()


def secret_of(text: str) -> str:
    found = re.search(r'<code class="secret">([A-Z2-7 ]+)</code>', text)
    assert found is not None, text
    return found[1]


def test_a_password_opens_a_session_with_a_cookie_of_its_own(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)

        browser, seen = await typed(at, " Alice@Example.org ", next="/status?x=1")

        assert (seen.status, seen.headers["location"]) == (303, "/status?x=1")
        cookie = next(each for each in seen.cookies if each.startswith("__Host-torhaus="))
        for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=28800"):
            assert flag in cookie
        assert "Domain" not in cookie
        assert well_formed(browser.cookies["__Host-torhaus"], "ths_")
        assert "__Host-torhaus-browser" not in browser.cookies
        who = await at.reception.sessions.who(
            {
                "scheme": "https",
                "headers": [
                    (b"cookie", f"__Host-torhaus={browser.cookies['__Host-torhaus']}".encode())
                ],
            }
        )
        assert who is not None
        assert who.email == ALICE.email
        assert at.hall.ends()[-1] == ("signin.succeeded", ALICE.email, "success")
        assert browser.cookies["__Host-torhaus"] not in str(at.hall.ledger.durable)

    play(tmp_path, story)


def test_over_http_on_loopback_the_cookie_has_no_prefix(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)
        browser = at.browser()
        browser.headers = {"host": "127.0.0.1:8080"}
        await browser.get("/login")
        seen = await browser.post("/login", {"email": ALICE.email, "password": PASSWORD})

        cookie = next(each for each in seen.cookies if each.startswith("torhaus="))
        assert "Secure" not in cookie
        assert "HttpOnly" in cookie

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (ALICE.email, "wrong"),
        ("nobody@example.org", PASSWORD),
        ("", PASSWORD),
        (ALICE.email, ""),
        (ALICE.email, PASSWORD + " "),
        (ALICE.email, "x" * 2000),
        ("' OR 1=1 --", "' OR 1=1 --"),
    ],
)
def test_whatever_is_wrong_has_the_same_answer(email: str, password: str, tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)
        _, wrong = await typed(at, ALICE.email, "also wrong")

        browser, seen = await typed(at, email, password)

        assert seen.status == 401
        assert "The address or the password is wrong." in seen.text
        # Only what was typed comes back.
        strip = re.compile(r'name="token" value="[^"]*"|maxlength="254" value="[^"]*"')
        assert strip.sub("", seen.text) == strip.sub("", wrong.text)
        assert "__Host-torhaus" not in browser.cookies
        assert at.hall.ends()[-1][0] == "signin.refused"
        assert "nobody@example.org" not in str(at.hall.ledger.durable)
        assert "OR 1=1" not in str(at.hall.ledger.durable)

    play(tmp_path, story)


def test_the_eleventh_failure_of_a_minute_waits_even_with_the_right_password(
    tmp_path: Path,
) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)
        for number in range(10):
            _, seen = await typed(at, f"a{number}@example.org", "wrong")
            assert seen.status == 401

        _, waits = await typed(at, ALICE.email)

        assert waits.status == 429
        assert waits.headers["retry-after"] == "61"
        at.hall.clock.turn(60)
        _, seen = await typed(at, ALICE.email)
        assert seen.status == 303

    play(tmp_path, story)


def test_nobody_can_choose_the_session_of_somebody_else(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)
        mallory = await at.signed_in(DANA)
        planted = mallory.cookies["__Host-torhaus"]
        victim = at.browser()
        victim.cookies = {"__Host-torhaus": "ths_chosen", "__Host-torhaus-browser": "a" * 64}
        await victim.get("/login")

        await victim.post("/login", {"email": ALICE.email, "password": PASSWORD})

        assert victim.cookies["__Host-torhaus"] not in ("ths_chosen", planted)

    play(tmp_path, story)


def test_a_form_of_another_browser_signs_nobody_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)
        mallory, victim = at.browser(), at.browser()
        await mallory.get("/login")
        await victim.get("/login")

        for token in (mallory.token, "", "x"):
            seen = await victim.post(
                "/login", {"token": token, "email": ALICE.email, "password": PASSWORD}
            )
            assert seen.status == 403
            assert "__Host-torhaus" not in victim.cookies

    play(tmp_path, story)


def test_somebody_signed_in_is_sent_on_and_never_elsewhere(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)

        for wanted, leads in (
            ("/status", "/status"),
            ("//evil.example", "/me"),
            ("https://evil.example", "/me"),
            ("/\\evil.example", "/me"),
            ("/%09/evil.example", "/%09/evil.example"),
        ):
            seen = await browser.get(f"/login?next={wanted.replace('%', '%25')}")
            assert (seen.status, seen.headers["location"]) == (303, leads)

    play(tmp_path, story)


def test_an_administrator_sets_up_a_second_factor_before_he_is_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(DANA, PASSWORD)
        browser, seen = await typed(at, DANA.email, next="/status")
        assert seen.status == 200
        assert "__Host-torhaus" not in browser.cookies
        assert 'src="data:image/svg' in seen.text
        secret, ticket = secret_of(seen.text), hidden(seen, "ticket")

        wrong = await browser.post("/login/factor", {"ticket": ticket, "code": "000000"})
        assert wrong.status == 401
        assert secret_of(wrong.text) == secret
        assert "The code is wrong" in wrong.text
        done = await browser.post(
            "/login/factor", {"ticket": ticket, "code": code(secret, at.hall.clock())}
        )

        assert done.status == 200
        assert "__Host-torhaus" in browser.cookies
        codes = re.findall(r"<li>([a-z0-9-]{19})</li>", done.text)
        assert len(codes) == 10
        assert 'href="/status"' in done.text
        await second_steps(at, secret, codes)

    play(tmp_path, story)


async def second_steps(at: House, secret: str, codes: list[str]) -> None:
    """The code that was used is over; the next one and each recovery code open once."""
    browser, seen = await typed(at, DANA.email)
    ticket = hidden(seen, "ticket")
    used = await browser.post(
        "/login/code", {"ticket": ticket, "code": code(secret, at.hall.clock())}
    )
    assert used.status == 401
    at.hall.clock.turn(30)
    fresh = await browser.post(
        "/login/code", {"ticket": ticket, "code": code(secret, at.hall.clock())}
    )
    assert fresh.status == 303
    again = await browser.post("/login/code", {"ticket": ticket, "code": codes[0]})
    assert again.status in (400, 403)
    for expected in (303, 401):
        other, seen = await typed(at, DANA.email)
        found = await other.post(
            "/login/code", {"ticket": hidden(seen, "ticket"), "code": codes[0]}
        )
        assert found.status == expected


def test_the_second_step_belongs_to_the_browser_of_the_first(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(DANA, PASSWORD)
        _, seen = await typed(at, DANA.email)
        ticket, secret = hidden(seen, "ticket"), secret_of(seen.text)
        mallory = at.browser()
        await mallory.get("/login")

        found = await mallory.post(
            "/login/factor", {"ticket": ticket, "code": code(secret, at.hall.clock())}
        )

        assert found.status == 400
        assert "__Host-torhaus" not in mallory.cookies

    play(tmp_path, story)


def test_without_local_accounts_a_password_opens_nothing(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)
        browser = at.browser()
        await browser.get("/login")
        at.local[0] = LocalAccounts(enabled=False)

        seen = await browser.post("/login", {"email": ALICE.email, "password": PASSWORD})

        assert seen.status == 401
        assert 'name="password"' not in seen.text

    play(tmp_path, story)


def test_signing_out_ends_the_session_for_good(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        kept = dict(browser.cookies)
        browser.token = at.reception.sessions.tokens.issue(next(iter(at.index.known)))

        seen = await browser.post("/logout", {})

        assert (seen.status, seen.headers["location"]) == (303, "/login")
        assert list(browser.cookies) == ["__Host-torhaus-device"]
        browser.cookies = kept
        assert (await browser.post("/logout", {})).headers["location"].startswith("/login?next=")
        assert at.hall.ends()[-1] == ("signout", ALICE.email, "success")

    play(tmp_path, story)


def test_a_session_ends_after_eight_hours_and_with_its_person(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        assert (await browser.get("/login")).status == 303

        at.index.barred.add(ALICE.email)
        assert (await browser.get("/login")).status == 200
        at.index.barred.clear()
        at.hall.without(ALICE)
        assert (await browser.get("/login")).status == 200

        other = await at.signed_in(DANA)
        at.hall.clock.turn(8 * 3600 - 1)
        assert (await other.get("/login")).status == 303
        at.hall.clock.turn(1)
        assert (await other.get("/login")).status == 200

    play(tmp_path, story)


def test_a_database_that_is_gone_closes_the_door_and_says_so(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)
        (tmp_path / "state.db").unlink()

        _, seen = await typed(at, ALICE.email)

        assert seen.status == 503

    play(tmp_path, story)


def test_time_does_not_tell_whether_an_account_exists(tmp_path: Path) -> None:
    """The whole way of a wrong password, by medians of interleaved tries."""

    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)
        known: list[float] = []
        unknown: list[float] = []
        for number in range(40):
            for email, times in ((ALICE.email, known), (f"n{number}@example.org", unknown)):
                at.hall.clock.turn(1000)
                began = time.process_time()
                _, seen = await typed(at, email, "wrong")
                times.append(time.process_time() - began)
                assert seen.status == 401

        apart = abs(statistics.median(known) - statistics.median(unknown))

        assert apart < 0.005, (statistics.median(known), statistics.median(unknown))

    play(tmp_path, story)


def test_signing_in_for_a_program_is_no_redirect_that_a_forms_policy_would_stop(
    tmp_path: Path,
) -> None:
    """Chromium holds the redirects of a form to the policy of its page, and these lead outside."""

    async def story(at: House) -> None:
        await at.account(ALICE, PASSWORD)
        onward = "/authorize/resume?t=abc=="

        _, seen = await typed(at, ALICE.email, next=onward)

        assert seen.status == 200
        assert seen.headers["refresh"] == f"0; url={onward}"
        assert f'href="{onward}"' in seen.text
        assert any(each.startswith("__Host-torhaus=") for each in seen.cookies)

    play(tmp_path, story)


def test_who_mistypes_the_password_need_not_type_the_address_again(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()
        await browser.get("/login")

        seen = await browser.post("/login", {"email": 'a"b@example.org', "password": "wrong"})

        assert seen.status == 401
        assert 'value="a&#34;b@example.org"' in seen.text

    play(tmp_path, story)
