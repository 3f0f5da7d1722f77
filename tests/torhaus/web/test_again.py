import re
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP

from tests.torhaus.admin.hall import ALICE, BOB
from tests.torhaus.cast import run
from tests.torhaus.web.house import Browser, House, hidden, house, session_of
from tests.torhaus.web.visits import Seen
from torhaus.admin.signin import factors
from torhaus.identity import totp
from torhaus.model.credentials import CredentialKind
from torhaus.model.signin import Identity

PASSWORD = "correct horse"
KEY = {"label": "build & server", "lasts": "90", "server": "everything", "scopes": "github:read"}
CORP = Identity(provider="corp", issuer="https://idp.example", subject="s-alice", email=ALICE.email)


def play(home: Path, story: Any) -> None:
    async def played() -> None:
        async with house(home) as made:
            await story(made)

    run(played())


def wanted_of(page: Seen) -> str:
    """Where the form leads back to; the one for the language, below, has it too."""
    found = re.search(r'name="next" value="([^"]*)"', page.text)
    assert found is not None
    return unescape(found[1])


def keys(at: House) -> list[str]:
    found = at.index.known.values()
    return [each.label for each in found if each.kind is CredentialKind.KEY]


async def sent_away(at: House, browser: Browser) -> str:
    """An hour later he wants a key; where he goes first."""
    await browser.get("/me")
    at.hall.clock.turn(3600)
    seen = await browser.post("/me/keys", KEY)
    assert seen.status == 303
    assert keys(at) == []
    where = seen.headers["location"]
    assert where.startswith("/again?next=%2Fme%3F")
    return where


def test_a_session_alone_makes_no_key_and_goes_on_with_what_was_typed(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        thief = Browser(at.app, cookies=dict(browser.cookies))
        old = session_of(browser)
        page = await browser.get(await sent_away(at, browser))
        assert ALICE.email in page.text

        wanted = wanted_of(page)
        wrong = await browser.post("/again", {"next": wanted, "password": "wrong"})
        assert (wrong.status, wanted_of(wrong)) == (401, wanted)
        right = await browser.post("/again", {"next": wanted, "password": PASSWORD})

        assert (right.status, right.headers["location"]) == (303, wanted)
        assert session_of(browser) != old
        assert old not in at.index.known
        assert (await thief.get("/me")).status == 303  # of a session that has ended
        page = await browser.get(wanted.partition("#")[0])
        assert 'value="build &amp; server"' in page.text
        assert 'value="github:read"' in page.text
        assert '<option value="90" selected>' in page.text
        assert keys(at) == []
        made = await browser.post("/me/keys", KEY)
        assert re.search(r'<code class="secret">thk_\w+</code>', made.text)
        assert keys(at) == ["build & server"]

    play(tmp_path, story)


def test_whoever_has_a_second_factor_is_asked_for_it_too(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        secret = b"s" * totp.SECRET_BYTES
        typed = at.reception.typed
        sealed = factors.sealed(typed._sealer, ALICE.email, secret)
        page = await browser.get(await sent_away(at, browser))
        old = session_of(browser)
        await at.account(ALICE, PASSWORD, second_factor=sealed)

        asked = await browser.post("/again", {"next": wanted_of(page), "password": PASSWORD})

        ticket = hidden(asked, "ticket")
        assert ticket
        assert session_of(browser) == old  # the password alone was not enough
        code = TOTP(secret, 6, SHA1(), 30).generate(int(at.hall.clock())).decode()
        right = await browser.post("/login/code", {"ticket": ticket, "code": code})
        assert right.status == 303, right.text
        assert right.headers["location"].startswith("/me?label=")

    play(tmp_path, story)


def test_the_password_of_somebody_else_proves_nothing(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        await at.account(BOB, "another horse")
        page = await browser.get(await sent_away(at, browser))

        seen = await browser.post(
            "/again",
            {"next": wanted_of(page), "email": BOB.email, "password": "another horse"},
        )

        assert seen.status == 401
        assert "wrong" in seen.text

    play(tmp_path, story)


def test_a_form_of_another_session_proves_nothing(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser, bob = await at.signed_in(ALICE), await at.signed_in(BOB)
        await sent_away(at, browser)
        await bob.get("/me")

        seen = await browser.post("/again", {"token": bob.token, "password": PASSWORD})

        assert seen.status == 403

    play(tmp_path, story)


@pytest.mark.parametrize("do", ["begin", "drop", "codes"])
def test_second_factors_and_their_codes_want_a_proof_too(do: str, tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        await browser.get("/me/security")
        near = await browser.post("/me/security", {"do": do, "old": PASSWORD})
        assert near.status != 303 or "/again" not in near.headers["location"]
        at.hall.clock.turn(3600)

        seen = await browser.post("/me/security", {"do": do, "old": PASSWORD})

        assert (seen.status, seen.headers["location"]) == (303, "/again?next=%2Fme%2Fsecurity")

    play(tmp_path, story)


async def from_corp(at: House, code: str, said: Identity, browser: Browser, start: str) -> Any:
    """To the provider and back, as whom it says."""
    at.provider.answers[code] = said
    left = await browser.get(start)
    assert left.status == 303, left.text
    asked = parse_qs(urlsplit(left.headers["location"]).query)
    back = f"/callback/corp?state={asked['state'][0]}&code={code}"
    return asked, await browser.get(back)


def test_who_comes_from_a_provider_is_asked_there(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()
        asked, came = await from_corp(at, "one", CORP, browser, "/login/corp")
        assert came.status == 303, came.text
        assert "prompt" not in asked
        old = session_of(browser)
        page = await browser.get(await sent_away(at, browser))
        (start,) = re.findall(r'href="(/again/corp\?[^"]*)"', page.text)
        before = at.hall.clock()

        said = msgspec.structs.replace(CORP, proved=before)
        asked, back = await from_corp(at, "two", said, browser, unescape(start))

        assert asked["prompt"] == ["login"]
        assert back.headers["location"].startswith("/me?label=build")
        assert old not in at.index.known
        await browser.get("/me")
        await browser.post("/me/keys", KEY)
        assert keys(at) == ["build & server"]

    play(tmp_path, story)


def test_another_account_of_the_provider_does_not_go_on(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()
        await from_corp(at, "one", CORP, browser, "/login/corp")
        page = await browser.get(await sent_away(at, browser))
        (start,) = re.findall(r'href="(/again/corp\?[^"]*)"', page.text)
        bob = msgspec.structs.replace(CORP, subject="s-bob", email=BOB.email)
        cookie = session_of(browser)

        _, back = await from_corp(at, "two", bob, browser, unescape(start))

        assert back.status == 403
        assert "another account" in back.text
        assert session_of(browser) == cookie
        assert {each.email for each in at.index.known.values()} == {ALICE.email}
        assert at.hall.ends()[-1] == ("signin.refused", "", "denied")
        assert (await browser.post("/me/keys", KEY)).status in (303, 403)
        assert keys(at) == []

    play(tmp_path, story)


def test_what_a_provider_does_not_vouch_for_is_no_proof(tmp_path: Path) -> None:
    """It says who he is, and not when it has asked him: he may have come without being asked."""

    async def story(at: House) -> None:
        browser = at.browser()
        await from_corp(at, "one", CORP, browser, "/login/corp")
        await browser.get("/me")

        seen = await browser.post("/me/keys", KEY)

        assert seen.headers["location"].startswith("/again?")
        assert keys(at) == []

    play(tmp_path, story)


def test_where_his_provider_is_gone_he_signs_out_and_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()
        await from_corp(at, "one", CORP, browser, "/login/corp")
        at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=())

        seen = await browser.get("/again?next=/me")

        assert seen.status == 409
        assert "sign out" in seen.text

    play(tmp_path, story)


def test_nobody_is_sent_elsewhere_and_strangers_sign_in_first(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)

        seen = await browser.get("/again?next=https%3A%2F%2Fevil.example")

        assert wanted_of(seen) == "/me"
        stranger = await at.browser().get("/again")
        assert stranger.headers["location"].startswith("/login?")

    play(tmp_path, story)


def test_a_database_that_is_down_makes_no_key(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        await browser.get("/me")
        (tmp_path / "state.db").unlink()

        assert (await browser.post("/me/keys", KEY)).status == 503
        assert (await browser.get("/again")).status == 503
        assert keys(at) == []

    play(tmp_path, story)
