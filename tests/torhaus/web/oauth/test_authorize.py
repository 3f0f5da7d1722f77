"""Threat rows 3, 4 and 5: who lets a program in, and where the answer goes."""

from pathlib import Path
from urllib.parse import parse_qs, parse_qsl, urlsplit

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB
from tests.torhaus.admin.oauth.lobby import BACK, OTHER
from tests.torhaus.cast import run
from tests.torhaus.identity.oauth.test_redirects import TRICKS
from tests.torhaus.web.oauth.browser import (
    ORIGIN,
    STATE,
    Browser,
    House,
    Person,
    answer,
    play,
    request,
    ticket,
)
from torhaus.model.credentials import Family, FamilyKind


def test_somebody_who_has_signed_in_lets_a_program_in_with_one_click(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)

        page = await browser.get(request())
        done = await browser.agree(page)

        assert page.status == 200
        for fact in ("Cursor", "localhost:3118", "github", ALICE.email):
            assert fact in page.text
        told = answer(done)
        assert (told["state"], told["iss"]) == (STATE, ORIGIN)
        tokens = await at.token(told["code"])
        assert tokens.status == 200

    run(play(tmp_path, story))


def test_the_page_comes_before_the_sign_in_and_the_sign_in_leads_back(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at, who=None)

        page = await browser.get(request())
        sent = await browser.agree(page)

        assert page.status == 200  # no redirect before anybody has agreed
        assert sent.status == 303
        path, _, query = sent.headers["location"].partition("?")
        assert path == "/login"
        next_ = dict(parse_qsl(query))["next"]
        assert next_.startswith("/authorize/resume?t=")
        assert len(next_) < 4000
        browser.who = "alice"
        done = await browser.get(next_)
        assert done.status == 302
        assert (await at.token(answer(done)["code"])).status == 200

    run(play(tmp_path, story))


def test_another_browser_cannot_finish_what_one_has_agreed_to(tmp_path: Path) -> None:
    """CVE-2026-27124: the attacker agrees, the victim's browser opens what comes next."""

    async def story(at: House) -> None:
        attacker, victim = Browser(at, who=None), Browser(at, who="alice")
        sent = await attacker.agree(await attacker.get(request()))
        next_ = dict(parse_qsl(urlsplit(sent.headers["location"]).query))["next"]

        bare = await victim.get(next_)
        await victim.get(request())  # with a cookie of its own it is no better
        again = await victim.get(next_)

        for seen in (bare, again):
            assert seen.status == 400
            assert "location" not in seen.headers
        assert ("consent.given", "success") not in at.lobby.ends()

    run(play(tmp_path, story))


def test_a_page_made_for_one_browser_is_of_no_use_in_another(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        attacker, victim = Browser(at, who=None), Browser(at)
        made = ticket(await attacker.get(request()))
        await victim.get(request())

        seen = await victim.post("/authorize", {"ticket": made, "decision": "allow"})

        assert seen.status == 400

    run(play(tmp_path, story))


@pytest.mark.parametrize("told", ["", "forged", "none"])
def test_nobody_agrees_without_having_seen_the_page(told: str, tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)
        await browser.get(request())
        form = {"decision": "allow"} if told == "none" else {"decision": "allow", "ticket": told}

        seen = await browser.post("/authorize", form)

        assert seen.status == 400
        assert ("consent.given", "success") not in at.lobby.ends()

    run(play(tmp_path, story))


def test_another_site_cannot_agree_for_anybody(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)
        form = {"ticket": ticket(await browser.get(request())), "decision": "allow"}

        for headers in (
            {"sec-fetch-site": "cross-site"},
            {"sec-fetch-site": "same-site"},
        ):
            seen = await browser.post("/authorize", form, **headers)
            assert seen.status == 403
        assert ("consent.given", "success") not in at.lobby.ends()

    run(play(tmp_path, story))


def test_no_page_can_put_a_frame_around_it_or_read_it(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        page = await Browser(at).get(request(), origin="https://evil.example")

        policy = page.headers["content-security-policy"]
        assert "frame-ancestors 'none'" in policy
        assert "form-action 'self' http://localhost:3118 https:" in policy
        assert page.headers["cache-control"] == "no-store"
        assert "access-control-allow-origin" not in page.headers

    run(play(tmp_path, story))


def test_the_browsers_half_cannot_be_read_by_scripts_or_set_by_other_hosts(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        (cookie,) = (await Browser(at).get(request())).cookies

        assert cookie.startswith("__Host-torhaus-consent=")
        for part in ("HttpOnly", "Secure", "Path=/", "SameSite=lax"):
            assert part in cookie
        assert "Domain" not in cookie

    run(play(tmp_path, story))


def test_every_sign_in_asks_again(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)
        await at.lobby.register(OTHER)
        for client in ("dcr_1", "dcr_1", "dcr_2"):
            page = await browser.get(request(client_id=client))

            assert page.status == 200
            answer(await browser.agree(page))

    run(play(tmp_path, story))


def test_one_page_gives_one_code(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)
        page = await browser.get(request())
        answer(await browser.agree(page))

        again = answer(await browser.agree(page))

        assert again["error"] == "access_denied"
        assert "code" not in again

    run(play(tmp_path, story))


def test_a_page_is_good_for_ten_minutes(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)
        page = await browser.get(request())
        at.lobby.hall.clock.turn(600)

        assert (await browser.agree(page)).status == 400

    run(play(tmp_path, story))


def test_whoever_does_not_agree_sends_the_client_away(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)

        told = answer(await browser.agree(await browser.get(request()), "deny"))

        assert (told["error"], told["iss"], told["state"]) == ("access_denied", ORIGIN, STATE)

    run(play(tmp_path, story))


def test_who_agreed_is_who_must_have_signed_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        at.desk.people["bob"] = Person(BOB.email, "ses_2")
        browser = Browser(at, who="alice")
        page = await browser.get(request())
        browser.who = "bob"
        sent = await browser.agree(page)
        assert "/login" in sent.headers["location"]

        next_ = dict(parse_qsl(urlsplit(sent.headers["location"]).query))["next"]
        seen = await browser.get(next_)

        assert seen.status == 400
        browser.who = None
        assert (await browser.get(next_)).status == 401

    run(play(tmp_path, story))


def test_a_session_that_is_old_lets_nobody_in_before_its_owner_has_signed_in_again(
    tmp_path: Path,
) -> None:
    async def story(at: House) -> None:
        now = at.lobby.hall.clock()
        at.desk.people["alice"] = Person(ALICE.email, "ses_1", began=now - 900)
        browser = Browser(at)
        sent = await browser.agree(await browser.get(request()))
        path, _, query = sent.headers["location"].partition("?")
        assert (sent.status, path) == (303, "/again")
        next_ = dict(parse_qsl(query))["next"]

        around = await browser.get(next_)
        assert (around.status, around.headers["location"]) == (303, sent.headers["location"])
        at.desk.people["alice"] = Person(ALICE.email, "ses_1", began=now)
        done = await browser.get(next_)

        assert (await at.token(answer(done)["code"])).status == 200

    run(play(tmp_path, story))


def test_a_session_that_has_ended_lets_nobody_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        now = at.lobby.hall.clock()
        ended = Family(
            id="ses_9", kind=FamilyKind.SESSION, email=ALICE.email, ended=now, expires=now + 9
        )
        async with at.lobby.hall.office.write() as desk:
            await desk.families.add(ended)
        at.desk.people["late"] = Person(ALICE.email, "ses_9")
        browser = Browser(at, who="late")

        told = answer(await browser.agree(await browser.get(request())))

        assert told["error"] == "access_denied"

    run(play(tmp_path, story))


def test_no_trick_with_the_address_leads_anywhere(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)
        for trick in (*TRICKS, "http://localhost:3118/other", "https://gw.example.org/callback"):
            seen = await browser.get(request(redirect_uri=trick))
            assert seen.status == 400, trick
            assert "location" not in seen.headers, trick
            assert "//evil" not in seen.text, trick
        other_port = BACK.replace("3118", "51283")
        assert (await browser.get(request(redirect_uri=other_port))).status == 200

    run(play(tmp_path, story))


def test_a_client_that_is_not_known_is_told_by_a_page_alone(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        for id in ("", "dcr_9", "https://unknown.example/client.json", "<script>"):
            seen = await Browser(at).get(request(client_id=id))
            assert seen.status == 400
            assert "location" not in seen.headers
            assert "<script" not in seen.text

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"code_challenge": None}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"resource": "https://evil.example/mcp/github"}, "invalid_target"),
        ({"resource": None}, "invalid_target"),
        ({"state": "x" * 2049}, "invalid_request"),
    ],
)
def test_what_is_wrong_with_a_request_is_told_with_iss(
    changes: dict[str, str | None], code: str, tmp_path: Path
) -> None:
    async def story(at: House) -> None:
        told = answer(await Browser(at).get(request(**changes)))

        assert (told["error"], told["iss"]) == (code, ORIGIN)
        assert told["error_description"]
        assert told["state"] == changes.get("state", STATE)

    run(play(tmp_path, story))


def test_where_the_file_says_so_a_request_for_nothing_is_for_everything(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        at.lobby.server = msgspec.structs.replace(at.lobby.server, require_resource=False)
        browser = Browser(at)

        page = await browser.get(request(resource=None))
        told = answer(await browser.agree(page))

        assert "all your servers" in page.text
        assert (await at.token(told["code"])).status == 200

    run(play(tmp_path, story))


def test_what_a_client_calls_itself_is_text(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        names = [
            "<script>alert(1)</script>",
            '"><img src=x onerror=alert(1)>',
            "{{ 7*7 }}",
            "%(client)s",
            "A\u202eB",
        ]
        for name in names:
            made = await at.registered(client_name=name)
            id = made.text.partition('"client_id":"')[2].partition('"')[0]

            page = await Browser(at).get(request(client_id=id))

            assert page.status == 200
            assert "<script" not in page.text
            assert "<img" not in page.text
            assert "49" not in page.text.partition("<main")[2].partition("</h1>")[0]
            assert "\u202e" not in page.text

    run(play(tmp_path, story))


def test_the_request_survives_a_language_and_a_longer_state(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = Browser(at)

        page = await browser.get(request(state="x" * 1500), **{"accept-language": "de"})
        told = answer(await browser.agree(page))

        assert "einlassen" in page.text
        assert told["state"] == "x" * 1500

    run(play(tmp_path, story))


def test_on_this_machine_every_name_of_it_works(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        for host in ("127.0.0.1:8080", "localhost:8080"):
            browser = Browser(at)
            page = await browser.get(request(resource=f"http://{host}/mcp/github"), host=host)
            assert page.status == 200
            (cookie,) = page.cookies
            assert cookie.startswith("torhaus-consent=")
            assert "Secure" not in cookie
            sent = {"ticket": ticket(page), "decision": "allow"}
            done = await browser.post("/authorize", sent, host=host)
            assert answer(done)["iss"] == f"http://{host}"

    run(play(tmp_path, story, public_url=None))


def test_where_it_is_switched_off_nobody_signs_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        signed, nobody = Browser(at), Browser(at, who=None)
        page, shown = await signed.get(request()), await nobody.get(request())
        onward = parse_qs(urlsplit((await nobody.agree(shown)).headers["location"]).query)["next"]
        nobody.who = "alice"
        at.lobby.server = msgspec.structs.replace(at.lobby.server, enabled=False)

        assert (await signed.get(request())).status == 404
        assert (await signed.agree(page)).status == 404
        assert (await nobody.get(onward[0])).status == 404

    run(play(tmp_path, story))
