"""A SAML identity provider that signs what a story wants, and helps those who forge."""

import datetime
import functools
from base64 import b64encode
from copy import deepcopy
from typing import Any

import xmlsec
from lxml import etree

from torhaus.model.providers import SamlProvider, Terms
from torhaus.signin.saml import SamlSignIn
from torhaus.signin.saml_keys import pair
from torhaus.upstream.egress import Egress

CALLBACK = "https://gateway.example.com/callback/company"
OURS = "https://gateway.example.com/saml/company/metadata"
IDP = "https://idp.example.com/metadata"
REQUEST = "ONELOGIN_request-1"
NAMES = {
    "p": "urn:oasis:names:tc:SAML:2.0:protocol",
    "a": "urn:oasis:names:tc:SAML:2.0:assertion",
    "ds": "http://www.w3.org/2000/09/xmldsig#",
}
EMAIL = "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress"

ASSERTION = """<a:Assertion xmlns:a="{a}" ID="{id}" Version="2.0" IssueInstant="{now}">
<a:Issuer>{issuer}</a:Issuer>
<a:Subject><a:NameID Format="{format}">{name_id}</a:NameID>
<a:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer">
<a:SubjectConfirmationData InResponseTo="{request}" Recipient="{recipient}" NotOnOrAfter="{ends}"/>
</a:SubjectConfirmation></a:Subject>
<a:Conditions NotBefore="{begins}" NotOnOrAfter="{ends}"><a:AudienceRestriction>
<a:Audience>{audience}</a:Audience></a:AudienceRestriction></a:Conditions>
<a:AuthnStatement AuthnInstant="{now}" SessionIndex="s1"><a:AuthnContext>
<a:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</a:AuthnContextClassRef>
</a:AuthnContext></a:AuthnStatement>
<a:AttributeStatement>{attributes}</a:AttributeStatement></a:Assertion>"""
RESPONSE = """<p:Response xmlns:p="{p}" xmlns:a="{a}" ID="{response_id}" Version="2.0"
 IssueInstant="{now}" Destination="{destination}" InResponseTo="{answers}">
<a:Issuer>{issuer}</a:Issuer>
<p:Status><p:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:{status}"/></p:Status>
</p:Response>"""


@functools.cache
def keys(name: str) -> tuple[str, str]:
    """(key, certificate) of somebody, the same for all tests of a process."""
    return pair(datetime.datetime.now(datetime.UTC))


def metadata(
    *certificates: str, entity_id: str = IDP, url: str = "https://idp.example.com/sso"
) -> str:
    bodies = ["".join(each.splitlines()[1:-1]) for each in certificates or (keys("idp")[1],)]
    described = "".join(
        f'<md:KeyDescriptor use="signing"><ds:KeyInfo xmlns:ds="{NAMES["ds"]}"><ds:X509Data>'
        f"<ds:X509Certificate>{each}</ds:X509Certificate></ds:X509Data></ds:KeyInfo>"
        "</md:KeyDescriptor>"
        for each in bodies
    )
    return (
        f'<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" '
        f'entityID="{entity_id}"><md:IDPSSODescriptor '
        f'protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">{described}'
        f'<md:SingleSignOnService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" '
        f'Location="{url}"/></md:IDPSSODescriptor></md:EntityDescriptor>'
    )


def attribute(name: str, *values: str) -> str:
    inside = "".join(f"<a:AttributeValue>{each}</a:AttributeValue>" for each in values)
    return f'<a:Attribute Name="{name}">{inside}</a:Attribute>'


def stamp(seconds: float) -> str:
    moment = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=seconds)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def values(**changed: Any) -> dict[str, Any]:
    said = {
        "a": NAMES["a"],
        "p": NAMES["p"],
        "id": "_assertion-1",
        "response_id": "_response-1",
        "now": stamp(0),
        "begins": stamp(-5),
        "ends": stamp(300),
        "issuer": IDP,
        "format": EMAIL,
        "name_id": "alice@example.com",
        "request": REQUEST,
        "answers": REQUEST,
        "recipient": CALLBACK,
        "destination": CALLBACK,
        "audience": OURS,
        "status": "Success",
        "attributes": attribute("groups", "developers", "all") + attribute("displayName", "Alice"),
    }
    return {**said, **changed}


def assertion(**changed: Any) -> etree._Element:
    return etree.fromstring(ASSERTION.format(**values(**changed)))


def signed(
    element: etree._Element,
    key: str = "",
    *,
    method: Any = xmlsec.constants.TransformRsaSha256,
    digest: Any = xmlsec.constants.TransformSha256,
) -> etree._Element:
    """The element with its signature, right after the issuer."""
    template = xmlsec.template.create(element, xmlsec.constants.TransformExclC14N, method, ns="ds")
    element.insert(1, template)
    reference = xmlsec.template.add_reference(template, digest, uri=f"#{element.get('ID')}")
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformEnveloped)
    xmlsec.template.add_transform(reference, xmlsec.constants.TransformExclC14N)
    xmlsec.tree.add_ids(element, ["ID"])
    context = xmlsec.SignatureContext()
    pem = key or keys("idp")[0]
    context.key = xmlsec.Key.from_memory(pem, xmlsec.constants.KeyDataFormatPem, None)
    context.sign(template)
    return element


def response(*inside: etree._Element, **changed: Any) -> etree._Element:
    root = etree.fromstring(RESPONSE.format(**values(**changed)))
    root.extend(inside)
    return root


def valid(**changed: Any) -> etree._Element:
    """A response with a signed assertion about Alice."""
    return response(signed(assertion(**changed)), **changed)


def encoded(root: etree._Element | bytes) -> str:
    raw = root if isinstance(root, bytes) else etree.tostring(root)
    return b64encode(raw).decode()


def of(root: etree._Element, path: str) -> etree._Element:
    [found] = root.xpath(path, namespaces=NAMES)
    return found


def evil(root: etree._Element, id_: str = "_evil") -> etree._Element:
    """A copy of the assertion about somebody else, without a signature."""
    copy = deepcopy(of(root, "//a:Assertion"))
    for signature in copy.xpath("./ds:Signature", namespaces=NAMES):
        copy.remove(signature)
    copy.set("ID", id_)
    of(copy, ".//a:NameID").text = "root@example.com"
    return copy


class Seen:
    """What came before."""

    def __init__(self) -> None:
        self.ids: dict[tuple[str, str], float] = {}

    async def first(self, source: str, id_: str, expires: float) -> bool:
        if (source, id_) in self.ids:
            return False
        self.ids[source, id_] = expires
        return True


def signing(seen: Seen | None = None, **more: Any) -> SamlSignIn:
    said = {"name": "company", "label": "Company", "terms": Terms(), "metadata": metadata()}
    said |= {"groups_attributes": ("groups",), "name_attributes": ("displayName",)}
    key, certificate = keys("ours")
    provider = SamlProvider(**{**said, **more})
    return SamlSignIn(provider, Egress(), (seen or Seen()).first, key, certificate)
