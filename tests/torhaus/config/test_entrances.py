"""Identity providers as the rules have them, and what is wrong with them in words with lines."""

from pathlib import Path
from typing import Any

import pytest

from torhaus.config.entrances import saml_installed
from torhaus.config.load import Loaded, load_text
from torhaus.config.problems import ConfigError
from torhaus.model.providers import Gains, LdapProvider, OidcProvider, SamlProvider
from torhaus.model.secret import Secret

PEOPLE = """
users: [{email: alice@example.com, role: dev, api_keys: [alice-key-0123456789abcdef]}]
roles: {dev: {}, lead: {}}
groups: {builders: [alice@example.com]}
mcpServers: {a: {url: 'https://a.example'}}
"""
BRIEF = (
    PEOPLE
    + """
auth:
  provider: oauth
  oauth:
    issuer: https://accounts.google.com
    client_id: YOUR_CLIENT_ID
    client_secret: YOUR_CLIENT_SECRET
"""
)
LDAP = "url: ldaps://dc.example.com, base: 'dc=x', bind_dn: 'cn=t,dc=x', bind_password: word"


def ldap(more: str = "") -> str:
    return "auth: {ldap: {" + LDAP + (f", {more}" if more else "") + "}}"


def loaded(text: str, name: str = "t.yml", **environ: str) -> Loaded:
    return load_text(text, name, environ)


def only(text: str, name: str = "t.yml", **environ: str) -> Any:
    [provider] = loaded(PEOPLE + text, name, **environ).rules.providers
    return provider


def problem(text: str) -> tuple[str, str, str]:
    with pytest.raises(ConfigError) as error:
        loaded(PEOPLE + text)
    [one] = error.value.problems
    return one.path, one.message, one.fix


def test_the_block_of_the_product_text_is_a_provider_without_a_warning() -> None:
    found = loaded(BRIEF)

    [provider] = found.rules.providers
    assert isinstance(provider, OidcProvider)
    assert (provider.name, provider.label) == ("oauth", "oauth")
    assert provider.issuer == "https://accounts.google.com"
    assert provider.client_secret == Secret("YOUR_CLIENT_SECRET")
    assert provider.terms.link_by_email
    assert found.warnings == ()


@pytest.mark.parametrize(
    ("issuer", "more", "asks"),
    [
        ("https://accounts.google.com", "", False),
        ("https://accounts.google.com", ", asks_again: true", True),
        ("https://login.example.com", "", True),
        ("https://login.example.com", ", asks_again: false", False),
    ],
)
def test_google_alone_is_not_told_to_ask_again(issuer: str, more: str, asks: bool) -> None:
    provider = only(f"auth: {{oauth: {{issuer: '{issuer}', client_id: torhaus{more}}}}}")

    assert provider.asks_again is asks


def test_several_providers_have_names_and_link_nobody_unless_told() -> None:
    text = """
auth:
  providers:
    - {name: okta, type: oidc, label: Okta, issuer: 'https://o.example', client_id: x}
    - {name: corp, type: ldap, LDAP, link_by_email: true}
    - {name: old, type: saml, metadata: <x/>}
""".replace("LDAP", LDAP)

    okta, corp, old = loaded(PEOPLE + text).rules.providers

    assert (okta.name, okta.label, okta.terms.link_by_email) == ("okta", "Okta", False)
    assert isinstance(corp, LdapProvider)
    assert corp.terms.link_by_email
    assert isinstance(old, SamlProvider)


def test_groups_give_roles_and_groups_of_our_own() -> None:
    text = """
auth:
  oidc:
    issuer: https://o.example
    client_id: x
    default_role: dev
    groups:
      Developers: dev
      Leads: [dev, lead]
      Both: {roles: [lead], groups: [builders]}
"""
    terms = only(text).terms

    assert terms.everyone == Gains(roles=("dev",))
    assert terms.groups == {
        "Developers": Gains(roles=("dev",)),
        "Leads": Gains(roles=("dev", "lead")),
        "Both": Gains(roles=("lead",), groups=("builders",)),
    }


def test_names_of_a_directory_are_compared_in_one_form() -> None:
    text = ldap("groups: {'CN=Devs, OU=Groups,DC=x': dev, Leads: lead}")

    assert set(only(text).terms.groups) == {"cn=devs,ou=groups,dc=x", "leads"}


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("ldaps://dc.example.com", ("dc.example.com", 636, True)),
        ("ldap://dc.example.com", ("dc.example.com", 389, False)),
        ("ldap://dc.example.com:3890/", ("dc.example.com", 3890, False)),
        ("ldaps://[::1]:636", ("::1", 636, True)),
    ],
)
def test_the_address_of_a_directory_says_how_it_is_encrypted(
    url: str, expected: tuple[str, int, bool]
) -> None:
    provider = only(ldap().replace("ldaps://dc.example.com", repr(url)))

    assert (provider.host, provider.port, provider.tls) == expected


def test_active_directory_has_searches_of_its_own() -> None:
    text = ldap("directory: active_directory, groups_base: 'dc=x'")

    provider = only(text)

    assert "userAccountControl" in provider.filter
    assert provider.subject_attribute == "objectGUID"
    assert provider.groups_filter == "(member:1.2.840.113556.1.4.1941:={dn})"


def test_secrets_and_metadata_come_from_files_and_variables(tmp_path: Path) -> None:
    (tmp_path / "word").write_text("from-a-file\n")
    (tmp_path / "idp.xml").write_text("<x>" + "y" * 200_000 + "</x>")
    name = str(tmp_path / "t.yml")

    secret = only(
        "auth: {oidc: {issuer: 'https://o.example', client_id: x, client_secret_file: word}}", name
    ).client_secret
    listed = only(
        "auth: {providers: [{name: p, type: saml, metadata_file: idp.xml}]}", name
    ).metadata
    bind = only(ldap().replace(": word", ": '${WORD}'"), name, WORD="from-outside").bind_password

    assert secret == Secret("from-a-file")
    assert listed.startswith("<x>yy")
    assert bind == Secret("from-outside")
    assert "from-a-file" not in repr(secret)


@pytest.mark.parametrize(
    ("text", "path", "message", "fix"),
    [
        (
            "auth: {providers: [{name: p, issuer: 'https://o.example'}]}",
            "auth.providers[0].type", "missing", "oidc",
        ),
        (
            "auth: {providers: [{name: p, type: odic}]}",
            "auth.providers[0].type", "must be", "did you mean oidc?",
        ),
        (
            "auth: {providers: [{name: p, type: oidc, isuer: x, issuer: 'https://o.example', "
            "client_id: x}]}",
            "auth.providers[0].isuer", "unknown key 'isuer'", "did you mean issuer?",
        ),
        (
            "auth: {providers: [{name: p, type: oidc, issuer: 'https://o.example'}]}",
            "auth.providers[0].client_id", "missing", "add",
        ),
        (
            "auth: {providers: [{name: local, type: saml, metadata: x}]}",
            "auth.providers[0].name", "local accounts", "another",
        ),
        (
            "auth: {saml: {metadata: x}, providers: [{name: saml, type: saml, metadata: x}]}",
            "auth.providers[0].name", "has a provider of this name", "another",
        ),
        (
            "auth: {oidc: {issuer: 'https://o.example', client_id: x, groups: {A: deev}}}",
            "auth.oidc.groups.A", "no such role: 'deev'", "did you mean dev?",
        ),
        (
            "auth: {oidc: {issuer: 'https://o.example', client_id: x, groups: {A: {groups: [b]}}}}",
            "auth.oidc.groups.A.groups[0]", "no such group: 'b'", "define it",
        ),
        (
            "auth: {oidc: {issuer: 'https://o.example', client_id: x, default_role: zzz}}",
            "auth.oidc.default_role", "no such role", "",
        ),
        (
            "auth: {oauth: {issuer: 'https://accounts.google.com', client_id: x, "
            "default_role: dev}}",
            "auth.oauth.default_role", "with an account at accounts.google.com", "domains",
        ),
        (
            ldap("directory: active_directory"),
            "auth.ldap.groups_base", "nothing says where", "add groups_base",
        ),
        (
            ldap("groups: {'CN=A,DC=x': dev, 'cn=a, dc=x': lead}"),
            "auth.ldap.groups.cn=a, dc=x", "there already", "once",
        ),
        (ldap("ca_file: no.pem"), "auth.ldap.ca_file", "no such file", "path"),
    ],
)  # fmt: skip
def test_mistakes_are_said_where_they_are(text: str, path: str, message: str, fix: str) -> None:
    found = problem(text)

    assert found[0] == path
    assert message in found[1]
    assert fix in found[2]


def test_domains_make_a_role_for_everybody_one_for_a_company() -> None:
    text = (
        "auth: {oauth: {issuer: 'https://accounts.google.com', client_id: x, "
        "default_role: dev, domains: [Example.com]}}"
    )

    assert only(text).terms.domains == ("example.com",)


def test_providers_that_give_nobody_anything_are_doubted() -> None:
    text = (
        "auth: {oidc: {issuer: 'https://o.example', client_id: x}}\nmcpServers: {a: {command: x}}"
    )

    [warning, *_] = loaded(text).warnings

    assert warning.path == "auth.oidc"
    assert warning.message == "whoever signs in has no role here"


def test_saml_works_with_its_extra_only() -> None:
    assert saml_installed()
    assert not saml_installed(lambda _: None)


def test_a_secret_of_a_provider_is_known_as_one() -> None:
    assert Secret("YOUR_CLIENT_SECRET") in loaded(BRIEF).secrets


VOUCHED = """
mcpServers:
  notes:
    url: https://notes.example/mcp
    auth: {type: oauth, mode: user, provider: WHO, issuer: 'https://as.example', client_id: t}
auth:
  oidc: {issuer: 'https://idp.example', client_id: gw, SECRET}
  ldap: {LDAP}
"""


def vouched(who: str, secret: str = "client_secret: abc") -> str:
    return VOUCHED.replace("WHO", who).replace("SECRET", secret).replace("LDAP", LDAP)


def test_a_provider_vouches_where_it_knows_us_by_a_secret() -> None:
    found = loaded(vouched("oidc")).rules.servers["notes"]

    assert (found.vouched, found.personal) == ("oidc", True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (vouched("odic"), "did you mean oidc"),
        (vouched("ldap"), "is no OpenID provider"),
        (vouched("oidc", "label: Acme"), "to clients with a secret alone"),
        (vouched("oidc", "client_secret: abc, client_auth: none"), "with a secret alone"),
    ],
)
def test_who_cannot_vouch_is_named(text: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded(text)

    assert words in str(caught.value)
