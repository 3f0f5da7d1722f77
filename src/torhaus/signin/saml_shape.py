"""The one shape a SAML response may have: what is signed is all there is to read.

Everything that attacks have moved, wrapped or hidden is refused before a signature is looked at:
second assertions, signatures elsewhere, several references, comments, entities, weak algorithms.
"""

from base64 import b64decode
from binascii import Error as Base64Error
from collections import Counter
from collections.abc import Iterator

from lxml import etree

PROTOCOL = "urn:oasis:names:tc:SAML:2.0:protocol"
ASSERTION = "urn:oasis:names:tc:SAML:2.0:assertion"
SIGNATURE = "http://www.w3.org/2000/09/xmldsig#"
MAX_RESPONSE = 512 * 1024

_MORE = "http://www.w3.org/2001/04/xmldsig-more#"
_ENC = "http://www.w3.org/2001/04/xmlenc#"
_EXCLUSIVE = "http://www.w3.org/2001/10/xml-exc-c14n#"
_INCLUSIVE = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
_SIGNED_BY = frozenset(
    f"{_MORE}{kind}-sha{bits}" for kind in ("rsa", "ecdsa") for bits in (256, 384, 512)
)
_DIGESTS = frozenset({f"{_ENC}sha256", f"{_MORE}sha384", f"{_ENC}sha512"})
_CANONICAL = frozenset({_EXCLUSIVE, _INCLUSIVE})
_TRANSFORMS = frozenset({f"{SIGNATURE}enveloped-signature", *_CANONICAL})
_IDS = ("ID", "Id", "id", "AssertionID", "{http://www.w3.org/XML/1998/namespace}id")


class AnswerError(Exception):
    """The response proves nothing. The text is for the log and names no value of it."""


def decoded(text: str) -> bytes:
    """The XML of a form's value. Raises AnswerError."""
    if not 0 < len(text) <= MAX_RESPONSE:
        raise AnswerError("there is no response, or it is too large")
    try:
        return b64decode("".join(text.split()), validate=True)
    except (Base64Error, ValueError) as error:
        raise AnswerError("it is not base64") from error


def parsed(raw: bytes) -> etree._Element:
    """A document without a type, entities, comments and instructions. Raises AnswerError."""
    if b"<!" in raw.replace(b"<![CDATA[", b""):
        raise AnswerError("it declares a type, or has comments")
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(raw, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        raise AnswerError("it is not XML") from error
    info = root.getroottree().docinfo
    if info.doctype or (info.encoding or "UTF-8").upper() not in ("UTF-8", "ASCII", "US-ASCII"):
        raise AnswerError("it declares a type, or another encoding")
    hidden = (etree.Comment, etree.ProcessingInstruction, etree.Entity)
    outside = root.getprevious() is not None or root.getnext() is not None
    if outside or next(root.iter(*hidden), None) is not None:
        raise AnswerError("it has comments, instructions or entities")
    return root


def shaped(raw: bytes) -> etree._Element:
    """The one signed assertion of a response. Raises AnswerError."""
    root = parsed(raw)
    if root.tag != f"{{{PROTOCOL}}}Response":
        raise AnswerError("it is no response")
    encrypted = root.iter("{*}EncryptedAssertion", "{*}EncryptedID", "{*}EncryptedAttribute")
    if next(encrypted, None) is not None:
        raise AnswerError("it is encrypted: switch encryption off at the provider, TLS protects it")
    if len(list(root.iter("{*}Response"))) != 1:
        raise AnswerError("there are several responses in it")
    found = list(root.iter("{*}Assertion"))
    if len(found) != 1 or found[0].getparent() is not root:
        raise AnswerError("there is not exactly one assertion in it")
    [assertion] = found
    if assertion.tag != f"{{{ASSERTION}}}Assertion":
        raise AnswerError("the assertion is of another version")
    _unique(root)
    _signatures(root, assertion)
    return assertion


def _unique(root: etree._Element) -> None:
    """No two elements have one id, under whichever attribute."""
    ids = Counter(each.get(name) for each in root.iter("*") for name in _IDS if each.get(name))
    if any(count > 1 for count in ids.values()):
        raise AnswerError("two elements have one id")


def _signatures(root: etree._Element, assertion: etree._Element) -> None:
    signatures = list(root.iter("{*}Signature"))
    parents = [each.getparent() for each in signatures]
    if any(each.tag != f"{{{SIGNATURE}}}Signature" for each in signatures):
        raise AnswerError("a signature is of another kind")
    if any(parent is not root and parent is not assertion for parent in parents):
        raise AnswerError("something else is signed")
    if len(set(map(id, parents))) != len(parents):
        raise AnswerError("something is signed twice")
    if assertion not in parents:
        raise AnswerError("the assertion is not signed")
    for each in signatures:
        _signature(each)


def _signature(signature: etree._Element) -> None:
    references = list(signature.iter("{*}Reference"))
    if len(references) != 1 or next(signature.iter("{*}Object", "{*}Manifest"), None) is not None:
        raise AnswerError("a signature refers to several things")
    [reference] = references
    signed = signature.getparent().get("ID")
    if not signed or reference.get("URI") != f"#{signed}":
        raise AnswerError("a signature refers to something else")
    for name, known in (
        ("SignatureMethod", _SIGNED_BY),
        ("DigestMethod", _DIGESTS),
        ("CanonicalizationMethod", _CANONICAL),
    ):
        if [each in known for each in _algorithms(signature, name)] != [True]:
            raise AnswerError(f"a {name} is weak or unknown")
    if not set(_algorithms(signature, "Transform")) <= _TRANSFORMS:
        raise AnswerError("a transform is unknown")


def _algorithms(signature: etree._Element, name: str) -> Iterator[str | None]:
    return (each.get("Algorithm") for each in signature.iter(f"{{{SIGNATURE}}}{name}"))
