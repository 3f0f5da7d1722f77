import ssl
from base64 import b64encode
from pathlib import Path

import pytest

from tests.torhaus.upstream.certificates import authority
from torhaus.config.load import load_text
from torhaus.config.problems import Problem

ROLES = "roles: {reader: {}}\nusers: [{email: a@example.com, role: reader}]\n"
NAMES = 'xmlns="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'


def warned(text: str, at: Path) -> list[Problem]:
    known = load_text(ROLES + text, str(at / "a.yml"), {}).warnings
    return [each for each in known if each.message.startswith("nobody gets in")]


def metadata(certificate: str) -> str:
    return (
        f"<EntityDescriptor {NAMES} entityID='i'><IDPSSODescriptor><KeyDescriptor>"
        f"<ds:X509Certificate>{certificate}</ds:X509Certificate>"
        "</KeyDescriptor></IDPSSODescriptor></EntityDescriptor>"
    )


def certificate(at: Path) -> str:
    pem = Path(authority(at).ca_file).read_text()
    return b64encode(ssl.PEM_cert_to_DER_cert(pem)).decode()


SAML = "auth:\n  saml: {metadata_file: idp.xml, email_attribute: mail}\n"


def test_metadata_of_a_provider_is_read_without_a_doubt(tmp_path: Path) -> None:
    (tmp_path / "idp.xml").write_text(metadata(certificate(tmp_path)))

    assert warned(SAML, tmp_path) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("rubbish", "no XML, or not whole"),
        (metadata("QUJD")[:-20], "no XML, or not whole"),
        ("<!DOCTYPE x [<!ENTITY a 'b'>]><x>&a;</x>", "declares a document type"),
        (f"<EntityDescriptor {NAMES}/>", "describes no identity provider"),
        (metadata("QUJD"), "has no certificate"),
        (metadata("not base64"), "has no certificate"),
    ],
)
def test_metadata_that_nobody_gets_in_with_is_doubted(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "idp.xml").write_text(text)

    (one,) = warned(SAML, tmp_path)

    assert (one.line, one.path) == (4, "auth.saml.metadata")
    assert said in one.message


def test_a_signing_key_that_is_none_is_doubted(tmp_path: Path) -> None:
    (tmp_path / "idp.xml").write_text(metadata(certificate(tmp_path)))
    (tmp_path / "key.pem").write_text("rubbish")
    more = "signing_key_file: key.pem, signing_certificate_file: key.pem"

    found = warned(SAML.replace("}", f", {more}}}"), tmp_path)

    assert [each.path for each in found] == [
        "auth.saml.signing_key",
        "auth.saml.signing_certificate",
    ]


@pytest.mark.parametrize(("text", "doubts"), [("rubbish", 1), ("", 1), (None, 0)])
def test_certificates_of_a_directory_are_looked_at(
    tmp_path: Path, text: str | None, doubts: int
) -> None:
    file = Path(authority(tmp_path).ca_file)
    if text is not None:
        file.write_text(text)
    ldap = "url: ldaps://l.example.com, base: b, bind_dn: d, bind_password: p"

    found = warned(f"auth:\n  ldap: {{{ldap}, ca_file: {file.name}}}\n", tmp_path)

    assert [each.path for each in found] == ["auth.ldap.ca_file"] * doubts
