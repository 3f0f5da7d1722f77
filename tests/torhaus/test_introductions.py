from pathlib import Path

import msgspec
import pytest

from tests.torhaus.cast import run
from torhaus.config.settings import Settings
from torhaus.introductions import Introductions
from torhaus.model.providers import LdapProvider, OidcProvider, SamlProvider, Terms
from torhaus.model.rules import Rules
from torhaus.model.secret import Secret
from torhaus.signin.oidc import OidcSignIn
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice
from torhaus.upstream.wayout import WayOut

ONE = OidcProvider(name="one", label="One", terms=Terms(), issuer="https://one", client_id="c")
TWO = msgspec.structs.replace(ONE, name="two", issuer="https://two")


def test_a_provider_is_built_once_and_anew_when_the_file_says_something_else(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        rules = [Rules(version="1", providers=(ONE, TWO))]
        settings = [Settings(data_dir=tmp_path)]
        office = StateOffice(Database(None, tmp_path))
        known = Introductions(
            office, lambda: rules[0], lambda: settings[0], WayOut(lambda: settings[0])
        )

        first = known.redirecting()
        assert list(first) == ["one", "two"]
        assert isinstance(first["one"], OidcSignIn)
        assert known.redirecting()["one"] is first["one"]
        changed = msgspec.structs.replace(TWO, client_id="d")
        rules[0] = Rules(version="2", providers=(ONE, changed))
        assert known.redirecting()["one"] is first["one"]
        assert known.redirecting()["two"] is not first["two"]
        rules[0] = Rules(version="3", providers=(ONE,))
        assert list(known.redirecting()) == ["one"]

    run(story())


@pytest.mark.parametrize("source", ["saml", "oidc"])
def test_an_id_comes_once_over_all_who_share_the_database(source: str, tmp_path: Path) -> None:
    async def story() -> None:
        database = Database(None, tmp_path)
        await database.open()
        office = StateOffice(database)
        rules, settings = Rules(version="1"), Settings(data_dir=tmp_path)
        one = Introductions(office, lambda: rules, lambda: settings, WayOut(lambda: settings))
        two = Introductions(office, lambda: rules, lambda: settings, WayOut(lambda: settings))
        try:
            assert await one._once(source, "_1", 9e9)
            assert not await two._once(source, "_1", 9e9)
        finally:
            await database.close()

    run(story())


def test_a_directory_is_asked_for_passwords_and_again_for_those_who_are_in(tmp_path: Path) -> None:
    async def story() -> None:
        ldap = LdapProvider(
            name="dir",
            label="Directory",
            terms=Terms(),
            host="127.0.0.1",
            port=389,
            tls=False,
            base="dc=x",
            bind_dn="cn=x",
            bind_password=Secret("x"),
        )
        rules = Rules(version="1", providers=(ONE, ldap))
        office = StateOffice(Database(None, tmp_path))
        known = Introductions(
            office, lambda: rules, lambda: Settings(data_dir=tmp_path), WayOut(Settings)
        )

        assert list(known.asking()) == ["dir"]
        assert known.asking()["dir"] is known.asking()["dir"]
        assert list(known.rechecking()) == ["dir"]
        assert list(known.redirecting()) == ["one"]
        assert known.description("one", "https://gw/callback/one") is None

    run(story())


def test_a_saml_provider_is_given_our_description(tmp_path: Path) -> None:
    pytest.importorskip("onelogin", reason="needs the extra saml")

    async def story() -> None:
        saml = SamlProvider(name="saml", label="SAML", terms=Terms(), metadata="<x/>")
        rules = Rules(version="1", providers=(saml,))
        office = StateOffice(Database(None, tmp_path))
        known = Introductions(
            office, lambda: rules, lambda: Settings(data_dir=tmp_path), WayOut(Settings)
        )

        told = known.description("saml", "https://gw.example.org/callback/saml")

        assert told is not None
        assert b"https://gw.example.org/callback/saml" in told
        assert (tmp_path / "saml.pem").exists()

    run(story())
