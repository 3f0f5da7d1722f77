"""The metadata of a SAML identity provider: who it is, where it is, and by which certificates."""

from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Sequence
from hashlib import sha256
from urllib.parse import urlsplit

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from lxml import etree

from torhaus.signin.saml_shape import SIGNATURE

_METADATA = "urn:oasis:names:tc:SAML:2.0:metadata"
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_NAMES = {"md": _METADATA, "ds": SIGNATURE}
_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WEAK = 2048


class SamlMetadataError(Exception):
    """The document is no metadata we could work with. The text says why."""


class IdentityProvider(msgspec.Struct, frozen=True, kw_only=True):
    """`certificates`: base64 of DER, those that count."""

    entity_id: str
    sign_in: str
    certificates: tuple[str, ...]


def identity_provider(text: str, entity_id: str | None, pins: Sequence[str]) -> IdentityProvider:
    """`entity_id`: which, where there are several. `pins`: SHA-256 of certificates that count.

    Without pins all of the document count, as it came from the administrator himself. Raises
    SamlMetadataError.
    """
    described = _described(_root(text), entity_id)
    [role] = described.xpath("./md:IDPSSODescriptor", namespaces=_NAMES)
    places = role.xpath(
        "./md:SingleSignOnService[@Binding=$binding]/@Location",
        namespaces=_NAMES,
        binding=_REDIRECT,
    )
    if not places:
        raise SamlMetadataError("the provider takes no requests by redirect (HTTP-Redirect)")
    return IdentityProvider(
        entity_id=str(described.get("entityID")),
        sign_in=_safe(str(places[0])),
        certificates=_certificates(role, pins),
    )


def _root(text: str) -> etree._Element:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, remove_comments=True
    )
    try:
        root = etree.fromstring(text.encode(), parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise SamlMetadataError("the metadata is not XML") from error
    if root.getroottree().docinfo.doctype:
        raise SamlMetadataError("the metadata declares a document type")
    return root


def _described(root: etree._Element, entity_id: str | None) -> etree._Element:
    found = [
        each
        for each in root.iter(f"{{{_METADATA}}}EntityDescriptor")
        if len(each.findall(f"{{{_METADATA}}}IDPSSODescriptor")) == 1
        and entity_id in (None, each.get("entityID"))
        and each.get("entityID")
    ]
    if not found:
        raise SamlMetadataError("the metadata describes no such identity provider")
    if len(found) > 1:
        raise SamlMetadataError("the metadata describes several providers: say which with idp")
    return found[0]


def _certificates(role: etree._Element, pins: Sequence[str]) -> tuple[str, ...]:
    texts = role.xpath(
        "./md:KeyDescriptor[not(@use) or @use='signing']//ds:X509Certificate/text()",
        namespaces=_NAMES,
    )
    found = dict.fromkeys("".join(str(each).split()) for each in texts)
    counting = tuple(each for each in found if _counts(each, pins))
    if not counting:
        raise SamlMetadataError(
            "none of the provider's certificates is one of certificate_sha256"
            if pins and found
            else "the metadata has no certificate that can be used"
        )
    return counting


def _counts(text: str, pins: Sequence[str]) -> bool:
    try:
        raw = b64decode(text, validate=True)
        key = x509.load_der_x509_certificate(raw).public_key()
    except (Base64Error, ValueError):
        return False
    strong = isinstance(key, rsa.RSAPublicKey) and key.key_size >= _WEAK
    if not strong and not isinstance(key, ec.EllipticCurvePublicKey):
        return False
    return not pins or sha256(raw).hexdigest() in pins


def _safe(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK):
        return url
    raise SamlMetadataError("the provider's address for signing in is not https")
