"""PATCH operations on a document, also where providers write them in ways of their own."""

import copy
from collections.abc import Mapping
from typing import Any

from torhaus.identity.scim.attributes import (
    KEPT,
    LISTS,
    REQUIRED,
    Document,
    Kind,
    fitting,
    kept,
    one_primary,
    single,
    whole,
)
from torhaus.identity.scim.paths import READ_ONLY, Path, holds, path
from torhaus.identity.scim.problem import ScimError

MOST = 1000
"""Operations of one request."""
_OPS = frozenset(("add", "replace", "remove"))


def patched(kind: Kind, document: Document, body: Mapping[str, Any]) -> Document:
    """The document after the operations, all of them or none. Raises ScimError."""
    operations = next((v for k, v in body.items() if k.lower() == "operations"), None)
    if not isinstance(operations, list) or not 0 < len(operations) <= MOST:
        raise ScimError(400, f"Operations is a list of 1 to {MOST}", "invalidSyntax")
    found = copy.deepcopy(document)
    for each in operations:
        if not isinstance(each, Mapping):
            raise ScimError(400, "an operation is an object", "invalidSyntax")
        _operation(kind, found, {str(name).lower(): value for name, value in each.items()})
    return kept(kind, found)


def _operation(kind: Kind, document: Document, operation: Mapping[str, Any]) -> None:
    op = str(operation.get("op", "")).lower()  # Entra ID writes Add, Replace, Remove
    where, value = operation.get("path") or "", operation.get("value")
    if op not in _OPS or not isinstance(where, str):
        raise ScimError(400, "op is add, replace or remove, and path a text", "invalidSyntax")
    if op == "remove" and not where:
        raise ScimError(400, "remove needs a path", "noTarget")
    if op != "remove" and value is None:
        raise ScimError(400, f"{op} needs a value", "invalidValue")
    for at, each in _targets(kind, where, value):
        if op == "remove":
            _remove(kind, document, at, each)
        else:
            _set(kind, document, at, each, adding=op == "add")


def _targets(kind: Kind, where: str, value: Any) -> list[tuple[Path, Any]]:
    """What is meant, and its value; without a path, what the value's names say."""
    if where:
        at = path(kind, where)
        return [] if at is None else [(at, value)]
    if not isinstance(value, Mapping):
        raise ScimError(400, "without a path, value is an object", "invalidValue")
    # Okta repeats the id, and Entra ID writes paths in place of names.
    names = [str(name) for name in value if str(name).lower() not in READ_ONLY]
    found = [(path(kind, name), value[name]) for name in names if value[name] is not None]
    return [(at, each) for at, each in found if at is not None]


def _set(kind: Kind, document: Document, at: Path, value: Any, *, adding: bool) -> None:
    parts = KEPT[kind][at.name]
    if at.name in LISTS:
        _set_items(kind, document, at, value, adding=adding)
    elif at.part is not None:
        document.setdefault(at.name, {})[at.part] = single(at.part, value)
    elif parts:
        document[at.name] = {**document.get(at.name, {}), **fitting(kind, at.name, value)}
    else:
        document[at.name] = fitting(kind, at.name, value)


def _set_items(kind: Kind, document: Document, at: Path, value: Any, *, adding: bool) -> None:
    items: list[Document] = document.setdefault(at.name, [])
    if at.where or at.part is not None:
        _set_within(kind, items, at, value)
        return
    fresh = fitting(kind, at.name, value)
    if not adding:
        document[at.name] = _once(fresh)
    else:
        known = {each["value"] for each in items}
        items.extend(_once([each for each in fresh if each["value"] not in known]))
    if fresh:
        one_primary(document[at.name], fresh[-1])


def _set_within(kind: Kind, items: list[Document], at: Path, value: Any) -> None:
    meant = [each for each in items if holds(each, at.where)]
    if not meant:
        meant = [_made(at)]
        items.extend(meant)
    for each in meant:
        if at.part is not None:
            each[at.part] = single(at.part, value)
        else:
            each.update(whole(at.name, KEPT[kind][at.name], value))
        one_primary(items, each)


def _made(at: Path) -> Document:
    """Entra ID changes `emails[type eq "work"].value` of users that have no such address yet."""
    if at.name != "emails" or not at.where:
        raise ScimError(400, f"no value of {at.name} matches the path", "noTarget")
    return {term.name: single(term.name, term.value) for term in at.where}


def _remove(kind: Kind, document: Document, at: Path, value: Any) -> None:
    if at.name == REQUIRED[kind] or (at.name == "emails" and at.part == "value"):
        raise ScimError(400, f"{at.name} cannot be removed", "invalidValue")
    if at.name not in LISTS:
        if at.part is None:
            document.pop(at.name, None)
        else:
            document.get(at.name, {}).pop(at.part, None)
        return
    items: list[Document] = document.get(at.name, [])
    named = _named(kind, at, value)
    left: list[Document] = []
    for each in items:
        meant = holds(each, at.where) and (named is None or each["value"] in named)
        if meant and at.part is not None:
            each.pop(at.part, None)
        if not meant or at.part is not None:
            left.append(each)
    document[at.name] = left


def _named(kind: Kind, at: Path, value: Any) -> set[str] | None:
    """Entra ID removes members by `"value": [{"value": "..."}]` beside the path."""
    if value is None or at.where or value == []:
        return None
    return {each["value"] for each in fitting(kind, at.name, value)}


def _once(items: list[Document]) -> list[Document]:
    return [*{each["value"]: each for each in items}.values()]
