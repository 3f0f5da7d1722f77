"""What a query of users or groups asks for."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.identity.scim.attributes import CORE, Kind
from torhaus.identity.scim.paths import Term, terms
from torhaus.identity.scim.problem import ScimError
from torhaus.model.provisioning import Sought

PAGE, MOST = 100, 200
_FIELDS: Mapping[Kind, Mapping[str, str]] = {
    Kind.USER: {
        "id": "id",
        "username": "name",
        "externalid": "external_id",
        "emails": "email",
        "emails.value": "email",
        'emails[type eq "work"].value': "email",
    },
    Kind.GROUP: {"id": "id", "displayname": "name", "externalid": "external_id"},
}
_FOLDED = ("name", "email")
_MEMBERS = ("members", "members.value")


class Query(msgspec.Struct, frozen=True):
    """`start`: how many that fit are left out. `member`: id of one the group must have."""

    sought: Sought
    start: int = 0
    most: int = PAGE
    member: str | None = None


def query(source: str, kind: Kind, asked: Mapping[str, str]) -> Query:
    """Raises ScimError for what is not understood."""
    sought, member = Sought(source=source, kind=kind.value), None
    for term in terms(asked["filter"]) if asked.get("filter") else ():
        name = _plain(kind, term.name)
        if kind is Kind.GROUP and name in _MEMBERS:
            member = str(term.value)
            continue
        sought = msgspec.structs.replace(sought, **_field(kind, name, term))
    if member is not None and sought.id is None:
        raise ScimError(400, "members are looked for in one group: id eq", "invalidFilter")
    start = max(1, _number(asked.get("startIndex"), 1)) - 1
    return Query(sought, start, min(MOST, max(0, _number(asked.get("count"), PAGE))), member)


def texts(body: Mapping[str, Any]) -> dict[str, str]:
    """The words of a query that came as a body, as they would stand in an address."""
    found: dict[str, str] = {}
    for name, value in body.items():
        if isinstance(value, list):
            found[name] = ",".join(map(str, value))
        elif isinstance(value, str | int):
            found[name] = str(value)
    return found


def _plain(kind: Kind, name: str) -> str:
    core = CORE[kind].lower() + ":"
    return name.lower().removeprefix(core)


def _field(kind: Kind, name: str, term: Term) -> dict[str, str]:
    field = _FIELDS[kind].get(name)
    if field is None or not isinstance(term.value, str):
        known = ", ".join(("userName", "externalId", "id", "emails.value"))
        known = "displayName, externalId, id" if kind is Kind.GROUP else known
        raise ScimError(400, f"only {known} can be looked for", "invalidFilter")
    return {field: term.value.lower() if field in _FOLDED else term.value}


def _number(text: str | None, without: int) -> int:
    if text is None:
        return without
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        raise ScimError(400, "startIndex and count are numbers", "invalidValue")
    return int(text)
