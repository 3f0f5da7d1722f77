"""What differs between two versions of the file, by name: for the audit log."""

import hashlib
from collections.abc import Iterator, Mapping

import msgspec

from torhaus.config.tree import Node, Source, printable

KINDS = {"users": "users", "roles": "roles", "mcpServers": "servers", "policies": "policies"}
"""Blocks of named things -> what people call those. Every other block is told of as a whole."""

OTHER = "settings"
MOST = 50
"""Names that are told of each kind of change."""

_NAMES = ("email", "name")


class Fingerprint(msgspec.Struct, frozen=True):
    """`digest`: SHA-256 of the file. `things`: kind -> name -> digest of what it says there.

    The digests of things are for comparing in memory: what they are of may hold secrets.
    """

    digest: str = ""
    things: Mapping[str, Mapping[str, bytes]] = {}


NO_FINGERPRINT = Fingerprint()
NOTHING: Mapping[str, bytes] = {}


def fingerprint(source: Source) -> Fingerprint:
    """Of a file after its variables were filled in: a changed secret is a change."""
    things: dict[str, dict[str, bytes]] = {}
    top = source.root.value
    for key, node in top.items() if isinstance(top, dict) else ():
        kind = KINDS.get(key)
        if kind is None:
            things.setdefault(OTHER, {})[printable(key)] = _digest(node)
        else:
            things[kind] = {name: _digest(each) for name, each in _named(node)}
    return Fingerprint(hashlib.sha256(source.text.encode()).hexdigest(), things)


def _named(node: Node) -> Iterator[tuple[str, Node]]:
    match node.value:
        case dict():
            yield from ((printable(name), each) for name, each in node.value.items())
        case list():
            for index, each in enumerate(node.value):
                yield _name(each) or f"[{index}]", each
        case _:
            pass


def _name(node: Node) -> str:
    for key in _NAMES:
        child = node.child(key)
        if child is not None and isinstance(child.value, str):
            return printable(child.value)
    return ""


def _digest(node: Node) -> bytes:
    return hashlib.sha256(msgspec.json.encode(node.plain())).digest()


def changes(old: Fingerprint, new: Fingerprint) -> dict[str, dict[str, list[str]]]:
    """`{"users": {"added": [...], "removed": [...], "changed": [...]}, ...}`; names, no values."""
    found = {}
    for kind in (*KINDS.values(), OTHER):
        was, now = old.things.get(kind, NOTHING), new.things.get(kind, NOTHING)
        told = {
            "added": _short([name for name in now if name not in was]),
            "removed": _short([name for name in was if name not in now]),
            "changed": _short([n for n in now if n in was and now[n] != was[n]]),
        }
        told = {how: names for how, names in told.items() if names}
        if told:
            found[kind] = told
    return found


def _short(names: list[str]) -> list[str]:
    more = len(names) - MOST
    return names if more <= 0 else [*names[:MOST], f"and {more} more"]
