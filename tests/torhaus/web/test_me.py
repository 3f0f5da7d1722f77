import re
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, rules
from tests.torhaus.admin.vaulted import personal
from tests.torhaus.asked import server
from tests.torhaus.cast import run
from tests.torhaus.web.house import ORIGIN, House, hidden, house, session_of
from torhaus.admin.people.keys import MOST_KEYS
from torhaus.identity.keys import digest, well_formed
from torhaus.model.access import Access, Permission
from torhaus.model.credentials import Family, FamilyKind
from torhaus.model.people import Phase, Principal
from torhaus.model.person import Person, PersonKind, PersonState
from torhaus.model.views import Pick, View

GITHUB = Access(allows=(Permission("github", "*", "read", "reader: github:read"),))
HOSTILE = "<script>alert(1)</script>\"'&{{7*7}}"


def play(home: Path, story: Any) -> None:
    async def played() -> None:
        async with house(home) as made:
            await story(made)

    run(played())


def test_who_has_not_signed_in_is_sent_to_do_so_and_back(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        seen = await at.browser().get("/me/servers?x=1")

        assert seen.status == 303
        assert seen.headers["location"] == "/login?next=%2Fme%2Fservers%3Fx%3D1"

    play(tmp_path, story)


def test_a_key_is_shown_once_and_never_again(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        await browser.get("/me")

        form = {"label": "laptop", "lasts": "90", "server": "everything"}
        seen = await browser.post("/me/keys", {**form, "scopes": "github:read"})

        found = re.search(r'<code class="secret">(thk_\w+)</code>', seen.text)
        assert found is not None
        assert well_formed(found[1], "thk_")
        made = at.index.known[digest(found[1])]
        assert (made.label, made.scopes) == ("laptop", ("github:read",))
        assert made.expires == at.hall.clock() + 90 * 86400
        page = await browser.get("/me")
        assert "laptop" in page.text
        assert found[1] not in page.text
        assert found[1] not in str(at.hall.ledger.durable)

    play(tmp_path, story)


def test_a_refused_key_leaves_the_form_as_it_was_filled_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        servers = {"github": personal()}
        at.hall.rules = msgspec.structs.replace(at.hall.rules, servers=servers)
        browser = await at.signed_in(ALICE)
        await browser.get("/me")

        form = {"label": 'la"p', "lasts": "", "server": "github", "scopes": "not a scope: at all"}
        seen = await browser.post("/me/keys", form)

        assert seen.status == 422
        assert 'value="la&#34;p"' in seen.text
        assert 'value="not a scope: at all"' in seen.text
        assert '<option value="" selected>' in seen.text
        assert '<option value="github" selected>' in seen.text

    play(tmp_path, story)


def test_a_key_is_revoked_from_the_page(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        await browser.get("/me")
        await browser.post("/me/keys", {"label": "laptop", "lasts": "", "server": "everything"})
        page = await browser.get("/me")
        id = re.findall(r'name="id" value="([^"]+)"', page.text)[0]

        seen = await browser.post("/me/end", {"kind": "key", "id": id})

        assert (seen.status, seen.headers["location"]) == (303, "/me")
        assert "No keys yet" in (await browser.get("/me")).text
        assert (await browser.post("/me/end", {"kind": "key", "id": id})).status == 409

    play(tmp_path, story)


def test_other_sessions_and_consents_end_from_the_page_and_others_people_s_do_not(
    tmp_path: Path,
) -> None:
    async def story(at: House) -> None:
        browser, other = await at.signed_in(ALICE), await at.signed_in(ALICE)
        bob = await at.signed_in(BOB)
        async with at.hall.office.write() as desk:
            consent = Family(
                id="c1", kind=FamilyKind.CONSENT, email=ALICE.email, label=HOSTILE, expires=9e9
            )
            await desk.families.add(consent)
        page = await browser.get("/me")
        assert "this one" in page.text
        assert "&lt;script&gt;" in page.text
        ends = at.index.known[session_of(other)].family
        theirs = at.index.known[session_of(bob)].family

        for id, status in ((ends, 303), ("c1", 303), (theirs, 409)):
            assert (await browser.post("/me/end", {"kind": "family", "id": id})).status == status

        assert (await other.get("/me")).status == 303
        assert (await bob.get("/me")).status == 200
        assert (await browser.get("/me")).status == 200

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("path", "form"),
    [
        ("/me/keys", {"label": "x", "lasts": "30", "server": "everything"}),
        ("/me/end", {"kind": "family", "id": "x"}),
        ("/me/security", {"do": "begin"}),
        ("/logout", {}),
    ],
)
def test_a_form_without_the_sessions_own_token_changes_nothing(
    path: str, form: dict[str, str], tmp_path: Path
) -> None:
    async def story(at: House) -> None:
        browser, other = await at.signed_in(ALICE), await at.signed_in(BOB)
        page = await other.get("/me")
        before = len(at.hall.ledger.durable)

        for token in ("", "x", hidden(page, "token")):
            assert (await browser.post(path, {**form, "token": token})).status == 403

        assert len(at.hall.ledger.durable) == before

    play(tmp_path, story)


FIELDS = ("label", "scopes", "server", "lasts", "id", "email", "password", "name", "next", "code")


@pytest.mark.parametrize("field", FIELDS)
def test_what_somebody_types_is_text_on_every_page(field: str, tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        await browser.get("/me")
        form = {"label": "ok", "lasts": "30", "server": "everything", field: HOSTILE}

        for path in ("/me/keys", "/me/end", "/me/security"):
            await browser.get("/me")
            seen = await browser.post(path, form)
            assert "<script" not in seen.text
        for page in ("/me", "/me/servers", "/me/security", f"/status?x={field}"):
            assert "<script" not in (await browser.get(page)).text

    play(tmp_path, story)


def test_servers_that_want_an_account_are_listed(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)

        assert "Nothing to connect" in (await browser.get("/me/servers")).text

    play(tmp_path, story)


def test_german_is_spoken_throughout(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        browser.headers = {"accept-language": "de"}

        page = await browser.get("/me")

        assert '<html lang="de"' in page.text
        for word in (
            "Schlüssel und Sitzungen",
            "Abmelden",
            "Browser-Sitzungen",
            "unbekannter Browser",
        ):
            assert word in page.text

    play(tmp_path, story)


def test_a_roleless_person_is_told_so(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        people = dict(at.hall.rules.principals)
        people[ALICE.id] = msgspec.structs.replace(ALICE, phases=())
        at.hall.rules = msgspec.structs.replace(at.hall.rules, principals=people)

        assert "You have no role at the moment." in (await browser.get("/me")).text

    play(tmp_path, story)


def test_service_accounts_are_told_to_who_answers_for_them(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        assert "Service accounts" not in (await browser.get("/me")).text
        ci = Person(
            email="ci@x.org", name=HOSTILE, kind=PersonKind.SERVICE, responsible=ALICE.email
        )
        away = msgspec.structs.replace(ci, email="old@x.org", state=PersonState.SUSPENDED)
        async with at.hall.office.write() as desk:
            await desk.persons.put(ci)
            await desk.persons.put(away)

        page = (await browser.get("/me")).text

        assert "Service accounts you answer for" in page
        assert "ci@x.org" in page
        assert "suspended" in page
        assert "<script>alert" not in page

    play(tmp_path, story)


def test_a_refusal_is_said_in_german_too(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = await at.signed_in(ALICE)
        browser.headers = {"accept-language": "de"}
        await browser.get("/me")

        async def said(target: str, **form: str) -> str:
            seen = await browser.post(target, form)
            found = re.search(r'class="note bad"[^>]*>(.*?)</p>', seen.text, re.DOTALL)
            assert found is not None, seen.text
            return found[1]

        assert (await said("/me/keys", label=" ")).startswith("Gib dem Schlüssel einen Namen")
        assert (await said("/me/keys", label="x", scopes="x")).startswith("Eine der Berechtigungen")
        nowhere = await said("/me/keys", label="x", server="<b>")
        assert nowhere == "Es gibt keinen Server &#39;&lt;b&gt;&#39;."
        ids = []
        for number in range(MOST_KEYS):
            await browser.post("/me/keys", {"label": f"k{number}"})
            ids = [each.id for each in at.index.known.values() if each.label == "k0"]
        full = await said("/me/keys", label="x")
        assert full == f"Es gibt schon {MOST_KEYS} Schlüssel einer Person: widerrufe erst einen."
        await browser.post("/me/end", {"kind": "key", "id": ids[0]})
        assert await said("/me/end", kind="key", id=ids[0]) == (
            "Dieser Schlüssel ist schon beendet."
        )

    play(tmp_path, story)


def test_somebody_sees_how_to_connect_what_is_his_and_nothing_of_the_rest(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        servers = {name: server(name) for name in ("github", "jira")}
        views = {"mine": View(name="mine", picks={"github": Pick()}), "": View()}
        more = {"both": View(name="both"), "theirs": View(name="theirs", picks={"jira": Pick()})}
        at.hall.rules = rules(reader(), servers=servers, views={**views, **more})
        browser = await at.signed_in(reader())

        connect = await browser.get("/me/servers")
        keys = await browser.get("/me")

        for name in ("github", "mine", "both"):
            line = f"claude mcp add --transport http {name} {ORIGIN}/mcp/{name}"
            assert f'<code class="secret">{line}</code>' in connect.text
            assert f'<option value="{name}">' in keys.text
        for page in (connect.text, keys.text):
            assert "jira" not in page
            assert "theirs" not in page

    play(tmp_path, story)


def reader() -> Principal:
    return msgspec.structs.replace(ALICE, phases=(Phase(access={"github": GITHUB}),))
