from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.admin.hall import ALICE, DANA, rules
from tests.torhaus.cast import run
from tests.torhaus.web.house import PROVIDER, House, hidden, house
from torhaus.identity.keys import digest
from torhaus.model.accounts import Invitation
from torhaus.model.person import PersonState
from torhaus.model.providers import LdapProvider, Terms
from torhaus.model.secret import Secret
from torhaus.model.signin import Identity, LocalAccounts

PASSWORD = {"password": "correct horse", "again": "correct horse"}
FRIDA = "frida@example.org"
STAFF = LdapProvider(
    name="staff",
    label="Staff",
    terms=Terms(),
    host="ldap.example.org",
    port=636,
    tls=True,
    base="dc=example",
    bind_dn="cn=t,dc=example",
    bind_password=Secret("word"),
)


def play(home: Path, story: Any) -> None:
    async def played() -> None:
        async with house(home) as made:
            await story(made)

    run(played())


async def invited(at: House, token: str = "t0ken") -> str:
    made = Invitation(
        id="i1",
        digest=digest(token),
        email=FRIDA,
        roles=("developer",),
        message="<b>welcome</b>",
        created_by=DANA.email,
        expires=at.hall.clock() + 600,
    )
    async with at.hall.office.write() as desk:
        await desk.invitations.add(made)
    return f"/invite/{token}"


def test_the_first_administrator_is_made_and_signs_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        at.hall.rules = rules(ALICE, keys={})
        path = f"/setup/{await at.reception.links.setup()}"
        browser = at.browser()
        for _ in range(3):
            assert (await browser.get(path)).status == 200

        form = {"name": 'F"', "email": FRIDA, "password": "x", "again": "x"}
        short = await browser.post(path, form)
        done = await browser.post(path, {"name": "F", "email": FRIDA, **PASSWORD})
        again = await browser.get(path)

        assert (short.status, done.status, again.status) == (422, 200, 404)
        assert 'value="F&#34;"' in short.text
        assert f'value="{FRIDA}"' in short.text
        assert 'value="x"' not in short.text
        assert 'href="/login">Sign in</a>' in done.text
        await browser.get("/login")
        seen = await browser.post("/login", {"email": FRIDA, "password": PASSWORD["password"]})
        assert "Set up the second factor" in seen.text

    play(tmp_path, story)


def test_a_reset_link_sets_a_password_once(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await at.account(ALICE, "the old horse")
        token, _ = await at.reception.links.reset_link(DANA, ALICE.email, "", second_factor=False)
        path, browser = f"/reset/{token}", at.browser()
        page = await browser.get(path)
        assert ALICE.email in page.text

        done = await browser.post(path, PASSWORD)

        assert done.status == 200
        assert (await browser.get(path)).status == 404
        await browser.get("/login")
        seen = await browser.post("/login", {"email": ALICE.email, "password": "correct horse"})
        assert seen.status == 303

    play(tmp_path, story)


def test_an_invitation_is_accepted_with_a_password(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        path, browser = await invited(at), at.browser()
        page = await browser.get(path)
        assert "&lt;b&gt;welcome&lt;/b&gt;" in page.text
        assert 'href="/login/corp?invitation=t0ken"' in page.text

        done = await browser.post(path, PASSWORD)

        assert done.status == 200
        assert (await browser.get(path)).status == 404
        assert FRIDA in at.hall.rules.principals

    play(tmp_path, story)


def test_an_invitation_is_accepted_at_the_provider_by_the_same_address_only(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await invited(at)
        made = Identity(provider="corp", issuer="https://idp.example", subject="9", email=FRIDA)
        at.provider.answers["frida"] = made
        at.provider.answers["alice"] = Identity(
            provider="corp", issuer="https://idp.example", subject="8", email=ALICE.email
        )

        for who, status in (("alice", 403), ("frida", 303)):
            browser = at.browser()
            seen = await browser.get("/login/corp?invitation=t0ken")
            state = seen.headers["location"].partition("state=")[2][:64]
            seen = await browser.get(f"/callback/corp?code={who}&state={state}")
            assert seen.status == status, seen.text

        assert at.hall.rules.principals[FRIDA].roles(at.hall.clock()) == ("developer",)

    play(tmp_path, story)


def test_a_form_of_another_browser_changes_nothing(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        path, browser, other = await invited(at), at.browser(), at.browser()
        await other.get(path)
        await browser.get(path)

        seen = await browser.post(path, {**PASSWORD, "token": other.token})

        assert seen.status == 403
        assert FRIDA not in at.hall.rules.principals

    play(tmp_path, story)


def test_links_that_lead_nowhere_say_so(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        browser = at.browser()

        for kind in ("setup", "reset", "invite"):
            for token in ("x", "0" * 64, "%00"):
                assert (await browser.get(f"/{kind}/{token}")).status == 404

    play(tmp_path, story)


def test_an_invitation_still_waits_when_the_provider_does_not_let_in(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        await invited(at)
        made = Identity(provider="corp", issuer="https://idp.example", subject="9", email=FRIDA)
        at.provider.answers["frida"] = made
        elsewhere = msgspec.structs.replace(PROVIDER.terms, domains=("example.com",))
        ours = msgspec.structs.replace(PROVIDER, terms=elsewhere)
        at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=(ours,))
        browser = at.browser()
        seen = await browser.get("/login/corp?invitation=t0ken")
        state = seen.headers["location"].partition("state=")[2][:64]

        seen = await browser.get(f"/callback/corp?code=frida&state={state}")

        assert seen.status == 403
        async with at.hall.office.read() as desk:
            waits, person = await desk.invitations.get("i1"), await desk.persons.get(FRIDA)
        assert waits is not None
        assert waits.state == "pending"
        assert person is None or person.state is PersonState.INVITED

    play(tmp_path, story)


def test_an_invitation_is_accepted_with_a_directory(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        path, browser = await invited(at), at.browser()
        at.local[0] = LocalAccounts(enabled=False)
        at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=(STAFF,))
        asked = await browser.get(path)
        assert "Make the account" not in asked.text
        found = {name: hidden(asked, name) for name in ("directory", "invitation")}
        assert found == {"directory": "staff", "invitation": "t0ken"}

        wrong = await browser.post("/login", {**found, "email": "frida", "password": "wrong"})
        again = {name: hidden(wrong, name) for name in found}
        other = await browser.post("/login", {**again, "email": "gina", "password": "right"})
        again = {name: hidden(other, name) for name in found}
        seen = await browser.post("/login", {**again, "email": "frida", "password": "right"})

        assert [wrong.status, other.status, seen.status] == [401, 403, 303]
        assert again == found
        assert at.hall.rules.principals[FRIDA].roles(at.hall.clock()) == ("developer",)
        late = at.browser()
        assert (await late.get(path)).status == 404
        assert "gina@example.org" not in at.hall.rules.principals

    play(tmp_path, story)
