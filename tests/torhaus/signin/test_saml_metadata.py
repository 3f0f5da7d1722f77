"""What is taken from a SAML provider's metadata."""

from base64 import b64decode
from hashlib import sha256

import pytest

from tests.torhaus.signin.assertions import IDP, keys, metadata
from torhaus.signin.saml_metadata import SamlMetadataError, identity_provider


def body(name: str) -> str:
    return "".join(keys(name)[1].splitlines()[1:-1])


def pin(name: str) -> str:
    return sha256(b64decode(body(name))).hexdigest()


def refused(text: str, why: str, entity_id: str | None = None, pins: tuple[str, ...] = ()) -> None:
    with pytest.raises(SamlMetadataError, match=why):
        identity_provider(text, entity_id, pins)


def test_it_says_who_where_and_by_which_certificates() -> None:
    found = identity_provider(metadata(keys("old")[1], keys("idp")[1]), None, ())

    assert (found.entity_id, found.sign_in) == (IDP, "https://idp.example.com/sso")
    assert found.certificates == (body("old"), body("idp"))


def test_only_pinned_certificates_count() -> None:
    text = metadata(keys("old")[1], keys("idp")[1])

    assert identity_provider(text, None, (pin("idp"),)).certificates == (body("idp"),)
    refused(text, "certificate_sha256", pins=(pin("other"),))


def test_one_of_several_providers_is_named() -> None:
    one, other = metadata(), metadata(entity_id="https://other.example/m")
    both = f'<m xmlns="urn:oasis:names:tc:SAML:2.0:metadata">{one}{other}</m>'

    assert identity_provider(both, IDP, ()).entity_id == IDP
    refused(both, "say which with idp")
    refused(both, "no such identity provider", entity_id="https://third.example")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not XML"),
        ("<x", "not XML"),
        ("<x/>", "no such identity provider"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "document type"),
        (metadata().replace("HTTP-Redirect", "HTTP-Artifact"), "HTTP-Redirect"),
        (metadata(url="http://idp.example.com/sso"), "not https"),
        (metadata(url="javascript:alert(1)"), "not https"),
        (metadata().replace('use="signing"', 'use="encryption"'), "no certificate"),
        (metadata("-\nAAAA\n-"), "no certificate"),
    ],
)
def test_what_cannot_be_used_is_said(text: str, why: str) -> None:
    refused(text, why)


def test_a_provider_on_this_machine_needs_no_tls() -> None:
    found = identity_provider(metadata(url="http://127.0.0.1:9402/sso"), None, ())

    assert found.sign_in == "http://127.0.0.1:9402/sso"
