from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, person, rules
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.acts import FirstAdministrator
from torhaus.admin.signin.first import needed, role_for
from torhaus.model.accounts import Leaving, Link, Password
from torhaus.model.people import Principal
from torhaus.model.person import Team
from torhaus.model.providers import Gains, OidcProvider, Terms

FRIDA = person("frida", "empty")
HASHED = Password(email="", hash="$argon2id$frida")
ACT = FirstAdministrator(b"link", FRIDA.email, "Frida", HASHED)
LINK = Link(issuer="i", subject="s", email=DANA.email, provider="c")


def provider(**terms: Any) -> OidcProvider:
    return OidcProvider(name="c", label="c", terms=Terms(**terms), issuer="i", client_id="c")


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
        ({"providers": (provider(everyone=Gains(roles=("admin",))),)}, "conflict"),
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


@pytest.mark.parametrize(
    ("terms", "people", "linked", "expected"),
    [
        ({}, (ALICE,), False, True),
        ({"everyone": Gains(roles=("developer",)), "link_by_email": True}, (ALICE,), False, True),
        ({"groups": {"eng": Gains(roles=("developer",))}}, (ALICE,), False, True),
        ({"groups": {"ops": Gains(roles=("developer", "admin"))}}, (ALICE,), False, False),
        ({"groups": {"ops": Gains(groups=("ops",))}}, (ALICE,), False, False),
        ({"groups": {"ops": Gains(groups=("others",))}}, (ALICE,), False, True),
        ({"link_by_email": True}, (DANA,), False, False),
        ({"link_by_email": True, "domains": ("example.com",)}, (DANA,), False, True),
        ({}, (DANA,), False, True),
        ({}, (DANA,), True, False),
    ],
)
def test_a_provider_is_enough_only_where_it_can_let_an_administrator_in(
    tmp_path: Path,
    terms: dict[str, Any],
    people: tuple[Principal, ...],
    linked: bool,
    expected: bool,
) -> None:
    async def story(at: Hall) -> None:
        teams = (Team(name="ops", roles=("admin",)),)
        known = rules(*people, keys={}, providers=(provider(**terms),), teams=teams)
        async with at.office.write() as desk:
            if linked:
                await desk.identities.put(LINK)
            assert await needed(desk, known, at.clock()) is expected

    play(tmp_path, story)


def test_the_role_is_one_that_opens_everything() -> None:
    assert role_for(rules(ALICE), 0.0) == "admin"
    assert role_for(rules(ALICE, roles=("tech_lead", "jira_admin")), 0.0) is None
