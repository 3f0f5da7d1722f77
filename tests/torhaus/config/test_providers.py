"""How identity providers are written, and what is said about mistakes."""

import pytest
from pydantic import TypeAdapter, ValidationError

from torhaus.config.providers import Entry, LdapSpec, OidcSpec, SamlSpec

OIDC = {"issuer": "https://idp.example", "client_id": "torhaus"}
SAML = {"metadata": "<EntityDescriptor/>"}
LDAP = {
    "url": "ldaps://ldap.example.com",
    "base": "dc=x",
    "bind_dn": "cn=a,dc=x",
    "bind_password": "secret-of-the-search",
}
PIN = "AB:" * 31 + "CD"


def said(error: pytest.ExceptionInfo[ValidationError]) -> str:
    return str(error.value)


@pytest.mark.parametrize("issuer", ["https://idp.example/realms/a", "http://127.0.0.1:9401"])
def test_an_issuer_is_reached_over_https_or_on_this_machine(issuer: str) -> None:
    assert OidcSpec(**{**OIDC, "issuer": issuer}).issuer == issuer


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"issuer": "http://idp.example"}, "reached over https"),
        ({"issuer": "idp.example"}, "not a URL"),
        ({"client_auth": "basic"}, "no client_secret to send"),
        ({"scopes": ["email"]}, "lack openid"),
        ({"algorithms": ["none"]}, "RS256"),
        ({"algorithms": ["HS256"]}, "RS256"),
        ({"algorithms": []}, "at least 1"),
        ({"email_claim": "upn"}, "verified"),
        ({"domains": ["@example.com"]}, "not a domain"),
        ({"client_secret": "a b"}, "no spaces"),
        ({"scim": {}}, "forbidden"),
    ],
)
def test_openid_connect_that_cannot_work_or_is_unsafe_is_refused(
    changed: dict, message: str
) -> None:
    with pytest.raises(ValidationError) as error:
        OidcSpec(**{**OIDC, **changed})
    assert message in said(error)


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({}, "one of the two"),
        ({**SAML, "metadata_url": "https://idp.example/m"}, "one of the two"),
        ({"metadata_url": "https://idp.example/m"}, "the certificates it may name"),
        ({"metadata_url": "http://idp.example/m", "certificate_sha256": [PIN]}, "over https"),
        ({**SAML, "certificate_sha256": ["abc"]}, "SHA-256"),
        ({**SAML, "signing_key": "x"}, "go together"),
    ],
)
def test_saml_that_would_believe_anybody_is_refused(spec: dict, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        SamlSpec(**spec)
    assert message in said(error)


def test_a_certificate_is_pinned_as_openssl_prints_it() -> None:
    spec = SamlSpec(metadata_url="https://idp.example/m", certificate_sha256=[PIN])

    assert spec.certificate_sha256 == ("ab" * 31 + "cd",)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"url": "ldap.example.com"}, "not the address"),
        ({"url": "ldapi:///"}, "not the address"),
        ({"url": "ldaps://user@host"}, "not the address"),
        ({"bind_password": None}, "needs a password"),
        ({"filter": "(uid=alice)"}, "same for everybody"),
        ({"filter": "uid={user}"}, "not an LDAP filter"),
        ({"filter": "(uid={user}"}, "not an LDAP filter"),
        ({"groups_filter": "(member=x)"}, "name the person"),
        ({"groups_filter": "(member={dn})"}, "place to search"),
        ({"recheck": "1s"}, "out of range"),
    ],
)
def test_ldap_that_would_find_anybody_is_refused(changed: dict, message: str) -> None:
    with pytest.raises(ValidationError) as error:
        LdapSpec(**{**LDAP, **changed})
    assert message in said(error)
    assert "secret-of-the-search" not in said(error)


def test_every_kind_of_several_says_which_it_is() -> None:
    adapter = TypeAdapter(Entry)
    kinds = {"oidc": OIDC, "saml": SAML, "ldap": LDAP}

    for kind, spec in kinds.items():
        assert adapter.validate_python({**spec, "name": "p", "type": kind}).type == kind
