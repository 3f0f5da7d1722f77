"""Whether certificates and metadata of identity providers can be used: else nobody gets in."""

import re
import ssl
from base64 import b64decode
from pathlib import Path as FilePath
from xml.etree import ElementTree

from torhaus.config.providers import LdapSpec, SamlSpec
from torhaus.config.tree import Path, Source

_ROLE = "{urn:oasis:names:tc:SAML:2.0:metadata}IDPSSODescriptor"
_CERTIFICATE = "{http://www.w3.org/2000/09/xmldsig#}X509Certificate"
_DECLARES = re.compile(r"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)


def doubt_saml(source: Source, path: Path, spec: SamlSpec) -> None:
    """Said as warnings: other ways of signing in go on."""
    trouble = None if spec.metadata is None else _described(spec.metadata)
    if trouble is not None:
        fix = "download the identity provider's metadata once more"
        source.warn((*path, "metadata"), f"nobody gets in with it: {trouble}", fix)
    pair = (("signing_key", spec.signing_key), ("signing_certificate", spec.signing_certificate))
    for key, value in pair:
        text = value if isinstance(value, str | None) else value.get_secret_value()
        if text is not None and "-----BEGIN " not in text:
            fix = "give it as PEM, beginning with -----BEGIN, or neither: Torhaus makes them"
            source.warn((*path, key), "nobody gets in with it: this is no PEM", fix)


def doubt_ldap(source: Source, path: Path, spec: LdapSpec, ca_file: FilePath | None) -> None:
    """As above. `ca_file`: the one that counts for it."""
    if spec.ca_file is None or ca_file is None or not ca_file.is_file():
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(ca_file)
    except (OSError, ValueError):  # ssl.SSLError among them
        text = "nobody gets in with it: the file holds no certificate that can be read"
        source.warn((*path, "ca_file"), text, "give a PEM file of certificates")


def _described(metadata: str) -> str | None:
    if _DECLARES.search(metadata):
        return "the metadata declares a document type"
    try:
        root = ElementTree.fromstring(metadata)  # noqa: S314 -- it declares none
    except (ElementTree.ParseError, ValueError):
        return "the metadata is no XML, or not whole"
    roles = list(root.iter(_ROLE))
    if not roles:
        return "the metadata describes no identity provider"
    texts = [each.text or "" for role in roles for each in role.iter(_CERTIFICATE)]
    return None if any(map(_is_certificate, texts)) else "the metadata has no certificate"


def _is_certificate(text: str) -> bool:
    try:
        raw = b64decode("".join(text.split()), validate=True)
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=raw)
    except (OSError, ValueError):  # what base64 and ssl raise among them
        return False
    return True
