from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import ALICE, BOB
from tests.torhaus.cast import run
from tests.torhaus.web.house import Browser, House, house
from torhaus.admin.throttle import DEPARTURES
from torhaus.model.person import Person, PersonState
from torhaus.model.signin import Identity, LoggedOut

FRIDA = "frida@example.org"
AS_ALICE = Identity(
    provider="corp",
    issuer="https://idp.example",
    subject="u-1",
    email=ALICE.email,
    groups=("eng",),
    session="s-1",
    id_token_hint="hint.of.alice",
)
AS_FRIDA = msgspec.structs.replace(AS_ALICE, subject="u-2", email=FRIDA, name="Frida")


def play(home: Path, story: Any) -> None:
    async def played() -> None:
        async with house(home) as made:
            made.provider.answers = {"alice": AS_ALICE, "frida": AS_FRIDA}
            await story(made)

    run(played())


async def away(browser: Browser, next: str = "/status") -> str:
    """Leaves for the provider; the state."""
    seen = await browser.get(f"/login/corp?next={next}")
    assert seen.status == 303, seen.text
    return parse_qs(urlsplit(seen.headers["location"]).query)["state"][0]


async def back(browser: Browser, state: str, code: str) -> Any:
    return await browser.get(
        f"/callback/corp?code={code}&state={state}", sec_fetch_site="cross-site"
    )


def test_a_known_person_comes_in_and_is_linked_by_the_verified_address_once(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()

        seen = await back(browser, await away(browser), "alice")

        assert (seen.status, seen.headers["location"]) == (303, "/status")
        assert "__Host-torhaus" in browser.cookies
        assert at.hall.ends()[-1] == ("signin.succeeded", ALICE.email, "success")
        assert at.hall.parameters()["account"] == "linked"
        again = at.browser()
        at.provider.answers["alice"] = msgspec.structs.replace(AS_ALICE, email="new@example.org")
        seen = await back(again, await away(again), "alice")
        assert seen.status == 303
        assert at.hall.ends()[-1] == ("signin.succeeded", ALICE.email, "success")
        assert at.hall.parameters()["account"] == "known"

    play(tmp_path, story)


def test_somebody_new_comes_in_by_a_group_and_nobody_without(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser, other = at.browser(), at.browser()
        assert (await back(browser, await away(browser), "frida")).status == 303
        async with at.hall.office.read() as desk:
            made = await desk.persons.get(FRIDA)
        assert made is not None
        assert (made.owner, made.roles, made.name) == ("idp:corp", ("developer",), "Frida")

        at.provider.answers["gus"] = msgspec.structs.replace(
            AS_FRIDA, subject="u-3", email="gus@example.org", groups=("sales",)
        )
        seen = await back(other, await away(other), "gus")

        assert seen.status == 403
        assert "You have no access here: ask an administrator to add you." in seen.text
        async with at.hall.office.read() as desk:
            assert await desk.persons.get("gus@example.org") is None

    play(tmp_path, story)


def test_who_leaves_the_group_is_out_at_the_next_sign_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser, later = at.browser(), at.browser()
        await back(browser, await away(browser), "frida")
        at.provider.answers["frida"] = msgspec.structs.replace(AS_FRIDA, groups=())

        seen = await back(later, await away(later), "frida")

        assert seen.status == 403
        assert "__Host-torhaus" not in later.cookies
        async with at.hall.office.read() as desk:
            found = await desk.persons.get(FRIDA)
            sessions = await desk.families.of(FRIDA)
        assert found is not None
        assert found.roles == ()
        assert [each.reason for each in sessions] == ["no longer let in by corp"]
        assert at.hall.parameters()["ended"] == 1
        assert (await browser.get("/me")).status == 303

    play(tmp_path, story)


def test_the_same_address_from_a_second_account_is_never_the_same_person(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser, other = at.browser(), at.browser()
        await back(browser, await away(browser), "alice")
        at.provider.answers["twin"] = msgspec.structs.replace(
            AS_ALICE, issuer="https://idp2.example"
        )

        seen = await back(other, await away(other), "twin")

        assert seen.status == 403
        assert "signs in with another account" in seen.text

    play(tmp_path, story)


@pytest.mark.parametrize("state", [PersonState.SUSPENDED, PersonState.GONE, PersonState.INVITED])
def test_who_is_suspended_gone_or_only_invited_does_not_come_in(
    state: PersonState, tmp_path: Path
) -> None:
    async def story(at: House) -> None:
        async with at.hall.office.write() as desk:
            await desk.persons.put(Person(email=ALICE.email, owner="file", state=state))
        browser = at.browser()

        assert (await back(browser, await away(browser), "alice")).status == 403
        assert "__Host-torhaus" not in browser.cookies

    play(tmp_path, story)


def test_an_answer_counts_once_in_the_browser_that_left_and_for_ten_minutes(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser, mallory = at.browser(), at.browser()
        state = await away(browser)
        await away(mallory)

        assert (await back(mallory, state, "alice")).status == 400
        assert (await back(browser, "0" * 64, "alice")).status == 400
        assert (await back(browser, "", "alice")).status == 400
        kept = dict(browser.cookies)
        assert (await back(browser, state, "alice")).status == 303
        browser.cookies = kept
        assert (await back(browser, state, "alice")).status == 400

        late = at.browser()
        state = await away(late)
        at.hall.clock.turn(600)
        assert (await back(late, state, "alice")).status == 400

    play(tmp_path, story)


def test_what_the_provider_does_not_prove_is_said_and_recorded(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()

        with capture_logs() as logs:
            seen = await back(browser, await away(browser), "forged")

        assert seen.status == 403
        assert "The identity provider&#39;s &lt;answer&gt; proves nothing." in seen.text
        assert at.hall.ends()[-1][0] == "signin.refused"
        # Why is for the operator, who finds it in the log, and for nobody else.
        [why] = [each for each in logs if each["event"] == "signin.refused"]
        assert (why["provider"], why["detail"]) == ("corp", "no such code")
        assert "no such code" not in seen.text

    play(tmp_path, story)


def test_an_answer_that_proves_nothing_is_recorded_once_however_often_it_comes(
    tmp_path: Path,
) -> None:
    async def story(at: House) -> None:
        browser = at.browser()
        state = await away(browser)
        before = len(at.hall.ends())

        seen = [(await back(browser, state, "forged")).status for _ in range(5)]
        form = {"RelayState": state, "code": "forged"}
        seen += [(await browser.post("/callback/corp", form)).status for _ in range(5)]

        assert seen == [403] + [400] * 9
        assert len(at.hall.ends()) == before + 1

    play(tmp_path, story)


def test_a_parameter_that_stands_twice_is_refused(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()
        state = await away(browser)

        seen = await browser.get(f"/callback/corp?code=alice&state={state}&state={state}")

        assert seen.status == 400

    play(tmp_path, story)


def test_a_form_of_the_provider_comes_without_cookies_and_the_browser_once_more(
    tmp_path: Path,
) -> None:
    async def story(at: House) -> None:
        browser, bare = at.browser(), at.browser()
        state = await away(browser)
        form = {"RelayState": state, "code": "alice"}

        posted = await bare.post(
            "/callback/corp", form, origin="https://idp.example", sec_fetch_site="cross-site"
        )

        assert posted.status == 303
        where = posted.headers["location"]
        assert (await bare.get(where)).status == 400
        assert (await browser.get(where)).status == 303
        assert "__Host-torhaus" in browser.cookies
        assert (await bare.post("/callback/corp", form)).status == 400

    play(tmp_path, story)


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_after_a_sign_in(wanted: str, tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()

        seen = await back(browser, await away(browser, wanted), "alice")

        assert seen.headers["location"] == "/me"

    play(tmp_path, story)


def test_whose_address_nobody_vouches_for_is_told_so(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        at.provider.answers["alice"] = msgspec.structs.replace(AS_ALICE, email=None)
        browser = at.browser()

        seen = await back(browser, await away(browser), "alice")

        assert seen.status == 403
        assert "does not vouch for your e-mail address" in seen.text

    play(tmp_path, story)


def test_whoever_has_no_access_waits_after_a_few_tries(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()
        at.provider.answers["frida"] = msgspec.structs.replace(AS_FRIDA, groups=())
        for _ in range(10):
            assert (await back(browser, await away(browser), "frida")).status == 403

        assert (await browser.get("/login/corp")).status == 429

    play(tmp_path, story)


def test_nobody_fills_the_database_with_departures(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()

        seen = [(await browser.get("/login/corp")).status for _ in range(DEPARTURES + 1)]
        at.hall.clock.turn(60)
        later = await browser.get("/login/corp")

        assert seen == [303] * DEPARTURES + [429]
        assert later.status == 303

    play(tmp_path, story)


def test_an_unknown_provider_is_a_page(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()

        assert (await browser.get("/login/other")).status == 404
        assert (await browser.get("/callback/other?state=x")).status == 400

    play(tmp_path, story)


def test_signing_out_offers_to_sign_out_at_the_provider_too(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()
        await back(browser, await away(browser), "alice")
        browser.token = at.reception.sessions.tokens.issue(next(iter(at.index.known)))

        seen = await browser.post("/logout", {})

        assert seen.status == 200
        assert "https://idp.example/logout?hint=hint.of.alice&amp;to=https" in seen.text
        assert browser.cookies == {}

    play(tmp_path, story)


def test_a_back_channel_logout_ends_the_session_once(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser, machine = at.browser(), at.browser()
        await back(browser, await away(browser), "alice")
        at.provider.outs["t"] = LoggedOut(
            issuer=AS_ALICE.issuer,
            subject=None,
            session="s-1",
            id="j-1",
            expires=9e9,
        )
        assert len(at.index.known) == 1

        refused = await machine.post("/backchannel-logout/corp", {"logout_token": "other"})
        done = await machine.post("/backchannel-logout/corp", {"logout_token": "t"})
        again = await machine.post("/backchannel-logout/corp", {"logout_token": "t"})

        assert (refused.status, done.status, again.status) == (400, 200, 400)
        assert done.headers["cache-control"] == "no-store"
        assert at.index.known == {}
        assert (await browser.get("/login")).status == 200

    play(tmp_path, story)


def test_bob_is_not_let_in_where_the_provider_may_not_link(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        provider = at.hall.rules.providers[0]
        terms = msgspec.structs.replace(provider.terms, link_by_email=False)
        only = (msgspec.structs.replace(provider, terms=terms),)
        at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=only)
        at.provider.answers["bob"] = msgspec.structs.replace(AS_ALICE, email=BOB.email)
        browser = at.browser()

        seen = await back(browser, await away(browser), "bob")

        assert seen.status == 403
        assert "not linked yet" in seen.text

    play(tmp_path, story)


def test_the_description_for_a_saml_provider_is_there_and_for_others_not(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()

        assert (await browser.get("/saml/corp/metadata")).status == 404

    play(tmp_path, story)
