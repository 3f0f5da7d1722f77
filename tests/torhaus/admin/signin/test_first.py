from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, person, rules
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.acts import FirstAdministrator
from torhaus.admin.signin.first import needed, role_for
from torhaus.model.accounts import Leaving, Password
from torhaus.model.providers import OidcProvider, Terms

FRIDA = person("frida", "empty")
HASHED = Password(email="", hash="$argon2id$frida")
ACT = FirstAdministrator(b"link", FRIDA.email, "Frida", HASHED)
PROVIDER = OidcProvider(name="c", label="c", terms=Terms(), issuer="i", client_id="c")


async def link(at: Hall) -> None:
    async with at.office.write() as desk:
        await desk.departures.add(Leaving(digest=b"link", kind="setup", expires=at.clock() + 60))


def test_whoever_has_the_link_becomes_the_first_administrator_once(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        at.rules = rules(ALICE, BOB)
        await link(at)

        made = await at.done(FRIDA, ACT)

        assert made.roles == ("admin",)
        async with at.office.read() as desk:
            assert await desk.passwords.get(FRIDA.email) is not None
        assert (await at.refused(FRIDA, ACT)).code == "conflict"

    play(tmp_path, story)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"providers": (PROVIDER,)}, "conflict"),
        ({"roles": ("developer",)}, "unavailable"),
        ({"principals": {FRIDA.id: FRIDA}}, "conflict"),
        ({"principals": {DANA.id: DANA}, "keys": {b"k": DANA}}, "conflict"),
    ],
)
def test_it_is_refused_where_it_is_not_needed_or_not_possible(
    changes: dict[str, object], code: str, tmp_path: Path
) -> None:
    async def story(at: Hall) -> None:
        at.rules = msgspec.structs.replace(rules(ALICE), **changes)
        await link(at)

        assert (await at.refused(FRIDA, ACT)).code == code

    play(tmp_path, story)


def test_an_administrator_of_the_file_without_any_key_gets_a_password(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        at.rules = rules(DANA, keys={})
        await link(at)
        async with at.office.read() as desk:
            assert await needed(desk, at.rules, at.clock())

        await at.done(DANA, FirstAdministrator(b"link", DANA.email, "", HASHED))

        async with at.office.read() as desk:
            assert await desk.persons.get(DANA.email) is None
            assert not await needed(desk, at.rules, at.clock())

    play(tmp_path, story)


def test_without_the_link_nobody_does(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        at.rules = rules(ALICE)

        assert (await at.refused(FRIDA, ACT)).code == "conflict"
        async with at.office.read() as desk:
            assert await desk.persons.get(FRIDA.email) is None
            assert await desk.passwords.get(FRIDA.email) is None

    play(tmp_path, story)


def test_the_role_is_one_that_opens_everything() -> None:
    assert role_for(rules(ALICE), 0.0) == "admin"
    assert role_for(rules(ALICE, roles=("tech_lead", "jira_admin")), 0.0) is None
