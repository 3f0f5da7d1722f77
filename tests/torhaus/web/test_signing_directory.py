"""The form of a directory on the page of sign-in."""

from pathlib import Path

import msgspec

from tests.torhaus.cast import run
from tests.torhaus.web.house import House, house
from torhaus.model.providers import LdapProvider, Terms
from torhaus.model.secret import Secret


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

    async def played() -> None:
        async with house(tmp_path) as made:
            await story(made)

    run(played())
