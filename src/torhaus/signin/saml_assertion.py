"""What a signed assertion says, and whether it says it to us, now, and about this sign-in."""

from collections.abc import Iterator, Mapping
from datetime import datetime

import msgspec
from lxml import etree

from torhaus.signin.saml_shape import ASSERTION, AnswerError

SKEW = 60.0
MAX_VALUES = 1000
_BEARER = "urn:oasis:names:tc:SAML:2.0:cm:bearer"
_FORMAT = "urn:oasis:names:tc:SAML:2.0:nameid-format:"
TRANSIENT = f"{_FORMAT}transient"


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """Of our request. `acs`: where the answer has to be posted. `now`: Unix seconds."""

    issuer: str
    entity_id: str
    acs: str
    request: str
    now: float


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """`id` may be seen once until `expires`. `session`: the provider's index of it.

    `proved`: when he last proved to the provider who he is, not after now; None where none says.
    """

    id: str
    expires: float
    name_id: str
    format: str
    attributes: Mapping[str, tuple[str, ...]]
    session: str | None = None
    proved: float | None = None


def said(response: etree._Element, assertion: etree._Element, asked: Asked) -> Said:
    """Raises AnswerError. The signature is somebody else's business."""
    _of_response(response, asked)
    if _text(_one(assertion, "Issuer")) != asked.issuer:
        raise AnswerError("another provider made it")
    subject = _one(assertion, "Subject")
    ends = _confirmed(subject, asked)
    _conditions(_one(assertion, "Conditions"), asked)
    session = _session(assertion, asked.now)
    name = _one(subject, "NameID")
    id_ = assertion.get("ID") or ""
    return Said(
        id=id_,
        expires=ends + 2 * SKEW,
        name_id=_text(name),
        format=name.get("Format", ""),
        attributes=_attributes(assertion),
        session=session,
        proved=_proved(assertion, asked.now),
    )


def _of_response(response: etree._Element, asked: Asked) -> None:
    if response.get("InResponseTo") != asked.request:
        raise AnswerError("it answers another request, or none")
    if response.get("Destination") not in (None, asked.acs):
        raise AnswerError("it is meant for another address")
    for each in response.iterchildren(f"{{{ASSERTION}}}Issuer"):
        if _text(each) != asked.issuer:
            raise AnswerError("another provider made it")


def _confirmed(subject: etree._Element, asked: Asked) -> float:
    """Until when whoever brings it may be the subject."""
    for each in _children(subject, "SubjectConfirmation"):
        if each.get("Method") != _BEARER:
            continue
        data = _one(each, "SubjectConfirmationData")
        ends = _time(data, "NotOnOrAfter")
        if ends is None or data.get("Recipient") != asked.acs:
            continue
        if data.get("InResponseTo") != asked.request:
            continue
        _in_time(_time(data, "NotBefore"), ends, asked.now)
        return ends
    raise AnswerError("nothing in it confirms that it is for us and for this request")


def _conditions(conditions: etree._Element, asked: Asked) -> None:
    _in_time(_time(conditions, "NotBefore"), _time(conditions, "NotOnOrAfter"), asked.now)
    restrictions = list(_children(conditions, "AudienceRestriction"))
    if not restrictions:
        raise AnswerError("it does not say whom it is for")
    for each in restrictions:
        if asked.entity_id not in [_text(one) for one in _children(each, "Audience")]:
            raise AnswerError("it is for somebody else")


def _session(assertion: etree._Element, now: float) -> str | None:
    statements = list(_children(assertion, "AuthnStatement"))
    if not statements:
        raise AnswerError("it does not say that somebody has signed in")
    for each in statements:
        _in_time(None, _time(each, "SessionNotOnOrAfter"), now)
    index: str | None = statements[0].get("SessionIndex")
    return index


def _proved(assertion: etree._Element, now: float) -> float | None:
    """The oldest of what its statements say: each is of one proof."""
    try:
        said = [_time(each, "AuthnInstant") for each in _children(assertion, "AuthnStatement")]
    except AnswerError:
        return None
    known = [each for each in said if each is not None and each <= now + SKEW]
    return min(*known, now) if known and len(known) == len(said) else None


def _attributes(assertion: etree._Element) -> dict[str, tuple[str, ...]]:
    found: dict[str, tuple[str, ...]] = {}
    for statement in _children(assertion, "AttributeStatement"):
        for each in _children(statement, "Attribute"):
            values = (_text(one) for one in _children(each, "AttributeValue"))
            name = each.get("Name", "")
            together = (*found.get(name, ()), *(value for value in values if value))
            found[name] = together[:MAX_VALUES]
    return found


def _in_time(begins: float | None, ends: float | None, now: float) -> None:
    if begins is not None and begins > now + SKEW:
        raise AnswerError("it is not valid yet")
    if ends is not None and ends <= now - SKEW:
        raise AnswerError("it has expired")


def _time(element: etree._Element, name: str) -> float | None:
    value = element.get(name)
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
    except ValueError as error:
        raise AnswerError("a time in it is none") from error
    if found.tzinfo is None:
        raise AnswerError("a time in it has no zone")
    return found.timestamp()


def _children(element: etree._Element, name: str) -> Iterator[etree._Element]:
    return iter(element.iterchildren(f"{{{ASSERTION}}}{name}"))


def _one(element: etree._Element, name: str) -> etree._Element:
    found = list(_children(element, name))
    if len(found) != 1:
        raise AnswerError(f"there is not exactly one {name}")
    return found[0]


def _text(element: etree._Element) -> str:
    """Of an element that holds nothing but text."""
    if len(element):
        raise AnswerError("there is something else where a text should be")
    return (element.text or "").strip()
