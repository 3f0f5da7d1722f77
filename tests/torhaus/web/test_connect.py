"""`/connect`: a browser goes to the authorization server and comes back."""

import re
from collections.abc import Awaitable, Callable
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, MALLORY, key, rules
from tests.torhaus.admin.vaulted import personal, rows
from tests.torhaus.api.counter import Answer, Counter, play
from tests.torhaus.cast import run
from torhaus.admin.connections import Wish
from torhaus.admin.people.acts import MakeStop
from torhaus.model.stops import StopKind

FORM = {"content-type": "application/x-www-form-urlencoded"}
STOP = MakeStop(kind=StopKind.USER, target=ALICE.email, reason="laptop stolen")
WISH = Wish("github", ALICE.email, scope="write")


def play_with(path: Path, story: Callable[[Counter], Awaitable[None]]) -> None:
    async def ready(at: Counter) -> None:
        at.hall.rules = rules(servers={"github": personal()})
        await story(at)

    run(play(path, ready))


def link(at: Counter, wish: Wish = WISH) -> str:
    url = at.hall.ways.url(wish, at.hall.clock())
    assert url is not None
    return url.removeprefix("https://gw.example.org")


async def begin(at: Counter, path: str, typed: str | None = None) -> Answer:
    page = await at.ask("GET", path)
    found = re.search(r'name="form" value="([^"]+)"', page.text)
    assert found is not None, page.text
    fields = {"form": unescape(found[1]), "key": key(ALICE) if typed is None else typed}
    return await at.ask("POST", path, None, urlencode(fields).encode(), FORM)


async def back(at: Counter, cookie: str | None, query: str = "state=state-1&code=code-1") -> Answer:
    headers = {} if cookie is None else {"cookie": cookie.partition(";")[0]}
    return await at.ask("GET", f"/connect/callback?{query}", headers=headers)


def test_a_link_alone_does_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        page = await at.ask("GET", link(at))

        assert page.status == 200
        assert ALICE.email in page.text
        assert at.hall.way.departed == []
        assert "set-cookie" not in page.headers
        assert page.headers["cache-control"] == "no-store"
        assert page.headers["referrer-policy"] == "same-origin"

    play_with(tmp_path, story)


def test_who_shows_that_he_made_the_call_goes_there_and_comes_back_connected(
    tmp_path: Path,
) -> None:
    async def story(at: Counter) -> None:
        onward = await begin(at, link(at))

        assert onward.status == 200
        assert 'href="https://as.example/authorize?a=1&amp;state=state-1"' in onward.text
        assert "as.example" in onward.text
        assert at.hall.way.departed == [
            ("github", "write", "https://gw.example.org/connect/callback")
        ]
        cookie = onward.headers["set-cookie"]
        assert cookie.startswith("__Host-torhaus-connect=")
        for word in ("HttpOnly", "Secure", "SameSite=lax", "Path=/", "Max-Age=900"):
            assert word in cookie
        assert "canary" not in onward.text + cookie

        done = await back(at, cookie)

        assert (done.status, "Connected" in done.text) == (200, True)
        (kept,) = await rows(at.hall)
        assert (kept.server, kept.email) == ("github", ALICE.email)
        assert at.hall.ledger.durable[-1].credential == "file-key:1"
        assert "Max-Age=0" in done.headers["set-cookie"]

    play_with(tmp_path, story)


def test_a_link_that_was_sent_to_somebody_else_connects_nothing(tmp_path: Path) -> None:
    """Or Alice would give the account she signs in with to Mallory."""

    async def story(at: Counter) -> None:
        at.hall.rules = rules(servers={"github": personal()})
        his = link(at, Wish("github", BOB.email))

        refused = await begin(at, his, key(ALICE))

        assert refused.status == 403
        assert "This link is for bob@example.org" in unescape(refused.text)
        assert at.hall.way.departed == []

    play_with(tmp_path, story)


@pytest.mark.parametrize("typed", ["", "wrong-key"])
def test_without_a_key_nobody_goes_there(tmp_path: Path, typed: str) -> None:
    async def story(at: Counter) -> None:
        assert (await begin(at, link(at), typed)).status == 401
        assert at.hall.way.departed == []

    play_with(tmp_path, story)


def test_who_may_not_use_the_server_connects_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        refused = await begin(at, link(at, Wish("github", MALLORY.email)), key(MALLORY))

        assert (refused.status, at.hall.way.departed) == (403, [])

    play_with(tmp_path, story)


def test_a_form_of_another_page_does_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        fields = urlencode({"form": "x", "key": key(ALICE)}).encode()
        assert (await at.ask("POST", link(at), None, fields, FORM)).status == 400
        foreign = {**FORM, "sec-fetch-site": "cross-site"}
        assert (await at.ask("POST", link(at), None, fields, foreign)).status == 403
        assert at.hall.way.departed == []

    play_with(tmp_path, story)


def test_links_that_are_not_ours_lead_nowhere(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        other = link(at).replace("/github?", "/sentry?")
        for path in ("/connect/github", "/connect/github?t=x", other):
            assert (await at.ask("GET", path)).status == 404
        path = link(at)
        at.hall.clock.now += 3600
        assert (await at.ask("GET", path)).status == 404

    play_with(tmp_path, story)


@pytest.mark.parametrize("query", ["state=other&code=code-1", "state=state-1&code=other", ""])
def test_an_answer_that_does_not_fit_connects_nothing(tmp_path: Path, query: str) -> None:
    async def story(at: Counter) -> None:
        cookie = (await begin(at, link(at))).headers["set-cookie"]

        assert (await back(at, cookie, query)).status == 502
        assert await rows(at.hall) == []

    play_with(tmp_path, story)


def test_another_browser_cannot_end_what_this_one_began(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        cookie = (await begin(at, link(at))).headers["set-cookie"]

        assert (await back(at, None)).status == 400
        assert (await back(at, "__Host-torhaus-connect=x")).status == 400
        twice = "state=state-1&state=state-1&code=code-1"
        assert (await back(at, cookie, twice)).status == 400
        at.hall.clock.now += 900
        assert (await back(at, cookie)).status == 400
        assert await rows(at.hall) == []

    play_with(tmp_path, story)


def test_a_server_that_is_down_is_said_on_the_page(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        at.hall.way.down = "github cannot be reached: <b>no connection</b>"
        page = await begin(at, link(at))

        assert page.status == 502
        assert "&lt;b&gt;no connection" in page.text
        assert "<b>no" not in page.text

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("down", "said"),
    [
        (
            "signing in to it is not possible: idp.example took longer than 5 s",
            "Dort anmelden geht nicht: idp.example hat länger als 5 s gebraucht.",
        ),
        ("github cannot be reached: no address", "Github ist nicht erreichbar: no address."),
    ],
)
def test_what_is_wrong_elsewhere_is_said_in_the_readers_language(
    tmp_path: Path, down: str, said: str
) -> None:
    async def story(at: Counter) -> None:
        at.hall.way.down = down
        path = link(at)
        token = re.search(r'name="form" value="([^"]+)"', (await at.ask("GET", path)).text)
        assert token is not None
        fields = urlencode({"form": unescape(token[1]), "key": key(ALICE)}).encode()

        page = await at.ask("POST", path, None, fields, {**FORM, "accept-language": "de"})

        assert page.status == 502
        assert said in page.text

    play_with(tmp_path, story)


def test_who_has_left_meanwhile_connects_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        cookie = (await begin(at, link(at))).headers["set-cookie"]
        at.hall.rules = rules(BOB, servers={"github": personal()})

        assert (await back(at, cookie)).status == 400
        assert await rows(at.hall) == []

    play_with(tmp_path, story)


def test_who_was_stopped_meanwhile_connects_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        cookie = (await begin(at, link(at))).headers["set-cookie"]
        await at.hall.done(DANA, STOP)

        page = await back(at, cookie)

        assert page.status == 403
        assert "laptop stolen" in page.text
        assert await rows(at.hall) == []

    play_with(tmp_path, story)


def test_authorization_servers_read_who_we_are(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        found = (await at.ask("GET", "/connect/client.json")).json

        assert found["client_id"] == "https://gw.example.org/connect/client.json"
        assert found["redirect_uris"] == ["https://gw.example.org/connect/callback"]
        assert found["token_endpoint_auth_method"] == "none"
        assert "refresh_token" in found["grant_types"]

    play_with(tmp_path, story)


def test_refusals_with_names_in_them_are_said_in_german_too(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        async def said(wish: Wish, typed: str) -> str:
            path = link(at, wish)
            page = await at.ask("GET", path)
            found = re.search(r'name="form" value="([^"]+)"', page.text)
            assert found is not None
            body = urlencode({"form": unescape(found[1]), "key": typed}).encode()
            german = {**FORM, "accept-language": "de"}
            page = await at.ask("POST", path, None, body, german)
            told = re.search(r'class="note bad"[^>]*>(.*?)</p>', page.text, re.DOTALL)
            assert told is not None, page.text
            return unescape(told[1])

        assert await said(WISH, key(BOB)) == (
            f"Nicht verbunden: Dieser Link ist für {ALICE.email}: lass dir einen eigenen geben."
        )
        nothing = await said(Wish("github", DANA.email, shared=True), key(DANA))
        assert nothing == "Nicht verbunden: Kein Aufruf an github benutzt so ein Konto."

    play_with(tmp_path, story)
