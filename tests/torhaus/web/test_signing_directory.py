"""The form of a directory on the page of sign-in."""

from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.admin.hall import DANA
from tests.torhaus.cast import run
from tests.torhaus.web.house import House, hidden, house
from torhaus.model.providers import LdapProvider, Terms
from torhaus.model.secret import Secret


def play(home: Path, story: Any) -> None:
    async def played() -> None:
        async with house(home) as made:
            await story(made)

    run(played())


def directory(name: str) -> LdapProvider:
    return LdapProvider(
        name=name,
        label=name,
        terms=Terms(),
        host="127.0.0.1",
        port=9,
        tls=True,
        base="dc=x",
        bind_dn="cn=x",
        bind_password=Secret("x"),
    )


def test_a_name_comes_back_in_the_form_of_the_directory_it_was_typed_into(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        # Nothing listens there: whoever signs in is told so, with what he typed still in place.
        both = (directory("ours"), directory("theirs"))
        at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=both)
        browser = at.browser()
        await browser.get("/login")

        form = {"directory": "theirs", "email": "dana.d", "password": "wrong"}
        seen = await browser.post("/login", form)

        assert seen.status >= 400
        assert seen.text.count('value="dana.d"') == 1
        assert seen.text.index('value="theirs"') < seen.text.index('value="dana.d"')

    play(tmp_path, story)


def test_the_address_of_a_directory_shows_its_form(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        # As `/login/corp` leads to the provider of that name; nothing of it is asked for yet.
        at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=(directory("ours"),))
        browser = at.browser()

        asked = await browser.get("/login/ours?next=/status&invitation=t0ken")

        assert asked.status == 200
        assert (hidden(asked, "directory"), hidden(asked, "invitation")) == ("ours", "t0ken")
        assert 'name="next" value="/status"' in asked.text
        seen = await browser.post("/login", {"directory": "ours", "email": "d", "password": "x"})
        assert seen.status != 403  # the form was this browser's
        assert (await browser.get("/login/ours?next=//evil.example")).status == 200
        assert (await browser.get("/login/theirs")).status == 404

    play(tmp_path, story)


def test_who_has_signed_in_is_sent_on_from_there_too(tmp_path: Path) -> None:
    async def story(at: House) -> None:
        at.hall.rules = msgspec.structs.replace(at.hall.rules, providers=(directory("ours"),))
        browser = await at.signed_in(DANA)

        seen = await browser.get("/login/ours?next=/status")

        assert (seen.status, seen.headers["location"]) == (303, "/status")

    play(tmp_path, story)
