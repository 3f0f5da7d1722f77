"""The attributes of users and groups that are kept, and documents that hold nothing else."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from torhaus.identity.scim.problem import ScimError

Document = dict[str, Any]


class Kind(StrEnum):
    """What is provisioned."""

    USER = "user"
    GROUP = "group"


CORE: Mapping[Kind, str] = {
    Kind.USER: "urn:ietf:params:scim:schemas:core:2.0:User",
    Kind.GROUP: "urn:ietf:params:scim:schemas:core:2.0:Group",
}
_TEXT: tuple[str, ...] = ()
KEPT: Mapping[Kind, Mapping[str, tuple[str, ...]]] = {
    Kind.USER: {
        "externalId": _TEXT,
        "userName": _TEXT,
        "displayName": _TEXT,
        "title": _TEXT,
        "active": _TEXT,
        "name": ("formatted", "familyName", "givenName"),
        "emails": ("value", "type", "primary", "display"),
    },
    Kind.GROUP: {"externalId": _TEXT, "displayName": _TEXT, "members": ("value", "display")},
}
"""Attributes, with their parts. Whatever else a provider sends is left out: it is not needed."""
REQUIRED: Mapping[Kind, str] = {Kind.USER: "userName", Kind.GROUP: "displayName"}
LISTS = frozenset(("emails", "members"))
FLAGS = frozenset(("active", "primary"))
LONGEST = 512
MOST = 20
"""Addresses of one user."""


def canonical(name: str, among: Mapping[str, Any] | tuple[str, ...]) -> str | None:
    """An attribute's name as it is spelt here; None for one that is not kept."""
    return next((each for each in among if each.lower() == name.lower()), None)


def kept(kind: Kind, sent: Mapping[str, Any]) -> Document:
    """What is kept of a whole document. Raises ScimError where something has a wrong type."""
    found: Document = {}
    for name, value in sent.items():
        known = canonical(name, KEPT[kind])
        if known is not None and value is not None:
            found[known] = fitting(kind, known, value)
    if not found.get(REQUIRED[kind]):
        raise ScimError(400, f"{REQUIRED[kind]} is missing", "invalidValue")
    one_primary(found.get("emails", []))
    return found


def fitting(kind: Kind, name: str, value: Any) -> Any:
    """A value of the attribute's type. Raises ScimError."""
    parts = KEPT[kind][name]
    if not parts:
        return single(name, value)
    if name not in LISTS:
        return whole(name, parts, value)
    items = value if isinstance(value, list) else [value]
    if name == "emails" and len(items) > MOST:
        raise ScimError(400, f"a user has at most {MOST} addresses", "invalidValue")
    found = [whole(name, parts, {"value": i} if isinstance(i, str) else i) for i in items]
    if any(not each.get("value") for each in found):
        raise ScimError(400, f"{name} without a value", "invalidValue")
    return found


def single(name: str, value: Any) -> str | bool:
    """A text, or a yes or no. Raises ScimError."""
    if name in FLAGS:
        return _flag(name, value)
    if not isinstance(value, str) or len(value) > LONGEST or not value.isprintable():
        text = f"{name} is a text of at most {LONGEST} characters, all of which can be seen"
        raise ScimError(400, text, "invalidValue")
    return value


def one_primary(items: list[Document], newest: Document | None = None) -> None:
    """Of several that are primary the newest stays so."""
    marked = [each for each in items if each.get("primary")]
    chosen = newest if newest is not None and newest.get("primary") else None
    chosen = chosen or (marked[-1] if marked else None)
    for each in marked:
        if each is not chosen:
            each["primary"] = False


def _flag(name: str, value: Any) -> bool:
    """Entra ID sends `"False"`, a text, unless it is asked not to."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in ("true", "false"):
        return value.lower() == "true"
    raise ScimError(400, f"{name} is true or false", "invalidValue")


def whole(name: str, parts: tuple[str, ...], value: Any) -> Document:
    """A value of several parts, or some of them. Raises ScimError."""
    if not isinstance(value, Mapping):
        raise ScimError(400, f"{name} is made of {', '.join(parts)}", "invalidValue")
    found: Document = {}
    for part, each in value.items():
        known = canonical(str(part), parts)
        if known is not None and each is not None:
            found[known] = single(known, each)
    return found
