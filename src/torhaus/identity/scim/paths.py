"""Paths of PATCH operations, and filters of queries: as much of their grammar as is sent."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.identity.scim.attributes import CORE, KEPT, Kind, canonical
from torhaus.identity.scim.problem import ScimError

_PATH = re.compile(
    r"([A-Za-z$][\w$-]{0,63})(?:\[([^\[\]]{1,1024})\])?(?:\.([A-Za-z$][\w$-]{0,63}))?"
)
_NAME = r"[A-Za-z$][\w$.:-]{0,127}(?:\[type eq \"work\"\]\.value)?"
"""Entra ID looks for `emails[type eq "work"].value`, where people match by address."""
_TERM = re.compile(
    rf"\s*({_NAME})\s+eq\s+(\"(?:[^\"\\]|\\.){{0,1024}}\"|true|false)\s*", re.IGNORECASE
)
_AND = re.compile(r"and\b", re.IGNORECASE)
MOST_TERMS = 4


class Term(msgspec.Struct, frozen=True):
    """`name eq value`, of a filter. `name`: as it was sent; `value`: a text, or true or false."""

    name: str
    value: str | bool


class Path(msgspec.Struct, frozen=True):
    """`name[where].part`. The name is one that is kept."""

    name: str
    where: tuple[Term, ...] = ()
    part: str | None = None


READ_ONLY = frozenset(("id", "meta", "groups", "schemas"))


def path(kind: Kind, text: str) -> Path | None:
    """What a path means; None for an attribute that is not kept. Raises ScimError."""
    core = CORE[kind] + ":"
    if text.lower().startswith(core.lower()):
        text = text[len(core) :]
    elif text.lower().startswith("urn:"):
        return None
    found = _PATH.fullmatch(text)
    if found is None:
        raise ScimError(400, f"this path cannot be read: {text[:100]!r}", "invalidPath")
    name, where, part = found.groups()
    if name.lower() in READ_ONLY:
        raise ScimError(400, f"{name} cannot be changed", "mutability")
    known = canonical(name, KEPT[kind])
    if known is None:
        return None
    spelt = None if part is None else canonical(part, KEPT[kind][known])
    if part is not None and spelt is None:
        return None
    return Path(known, () if where is None else terms(where), spelt)


def terms(text: str) -> tuple[Term, ...]:
    """`a eq "x" and b eq true`. Raises ScimError for every other filter."""
    found: list[Term] = []
    at = 0
    while len(found) < MOST_TERMS:
        term = _TERM.match(text, at)
        if term is None:
            break
        found.append(Term(term[1], _value(term[2])))
        at = term.end()
        if at == len(text):
            return tuple(found)
        joined = _AND.match(text, at)
        if joined is None:
            break
        at = joined.end()
    raise ScimError(
        400, 'only `attribute eq "value"`, joined by `and`, is understood', "invalidFilter"
    )


def holds(item: Mapping[str, Any], where: tuple[Term, ...]) -> bool:
    """Whether all terms are true of a value of several parts. Texts are compared without case."""
    for term in where:
        name = canonical(term.name, tuple(item))
        found = None if name is None else item[name]
        if isinstance(found, str) and isinstance(term.value, str):
            if found.casefold() != term.value.casefold():
                return False
        elif isinstance(found, bool) and str(term.value).lower() == str(found).lower():
            continue
        elif found != term.value:
            return False
    return True


def _value(text: str) -> str | bool:
    if not text.startswith('"'):
        return text.lower() == "true"
    try:
        found = msgspec.json.decode(text, type=str)
    except msgspec.DecodeError as error:
        raise ScimError(400, "a text of the filter cannot be read", "invalidFilter") from error
    return found
