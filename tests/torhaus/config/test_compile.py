"""Every key of the file is in force: another value of it makes other settings or other rules."""

import ast
import copy
import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest
import yaml
from pydantic import BaseModel

import torhaus
from tests.torhaus.upstream.certificates import authority
from torhaus.config import compile as compiled
from torhaus.config.interpolate import FILES, read_files
from torhaus.config.problems import ConfigError
from torhaus.config.schema import File
from torhaus.config.settings import Settings
from torhaus.config.tree import Node, Source
from torhaus.config.validate import validate
from torhaus.model.rules import Rules
from torhaus.model.secret import Secret

EVERYTHING = Path(__file__).parent / "everything"
BESIDE = ("secret-a", "secret-b", "key.pem", "cert.pem", "ca.pem", "idp.xml")
DIGESTS = frozenset({"version", "policy_version", "credential"})
"""They follow from the file's text, so they say nothing of what is in force."""

Where = tuple[str | int, ...]

_KIND = "what else is in the block is for this kind alone"
_CHECK = "it only lets pass what would be refused"
_TOLD = "for people who read the file"
_NAMED = "others refer to it; the other users' addresses are tried"

# Places whose values are not tried here, and why; `*` stands for anything.
SPARED: Mapping[str, str] = {
    "auth.provider": _CHECK,
    "auth.*.assume_verified": "email_claim needs it here; tried in exclusive.yml",
    "auth.*.directory": "only for keys that are left out; tried in exclusive.yml",
    "auth.providers.*.type": _KIND,
    "mcpServers.*.auth.type": _KIND,
    "mcpServers.*.auth.mode": "what else is in the block is for client; `each` tries it",
    "mcpServers.*.classification.case_insensitive": "names are compared without case anyway",
    "virtual_servers.*.tools": "other keys refer to the one; test_virtual.py tries several",
    "policies.3.action": "approvers are for this action alone; the other policies try it",
    "audit_logs.publish.*.plaintext": _CHECK,
    "audit_logs.sinks.*.stdout": _KIND,
    "storage.audit.plaintext": _CHECK,
    "storage.redis.topology": "what else is in the block is for sentinels; see test_redis.py",
    "*.description": _TOLD,
    "users.*.email": _NAMED,
}
TRIED: Mapping[str, str] = {
    "auth.oidc.assume_verified": "exclusive",
    "auth.ldap.directory": "exclusive",
    "mcpServers.each.auth.mode": "rules",
    "virtual_servers.triage.description": "rules",
    "users.0.email": "rules",
}
"""Spared elsewhere, and not in this file."""


def everything(name: str) -> dict[str, Any]:
    found = yaml.safe_load((EVERYTHING / f"{name}.yml").read_text())
    written: dict[str, Any] = json.loads(json.dumps(found, default=str))
    return written


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("everything")
    for name in BESIDE:
        (home / name).write_text(f"what-stands-in-{name}-is-long-enough\n")
        (home / f"other-{name}").write_text(f"what-else-stands-in-{name}-is-long-enough\n")
    (home / "database").write_text("postgresql://us:word@db.example.com/torhaus\n")
    (home / "other-database").write_text("postgresql://us:word@other.example.com/torhaus\n")
    (home / "made").mkdir()
    made = authority(home / "made").pem("gateway.example.com").read_bytes()
    for name in ("served.pem", "served.key", "callers.pem"):
        for file in (home / name, home / f"other-{name}"):
            file.touch(0o600)
            file.write_bytes(made)
    for name in ("beside", "other-beside"):
        (home / name).mkdir()
    for name in ("program", "other-program"):
        (home / name).write_text("#!/bin/sh\n")
        (home / name).chmod(0o755)
    return home


def source(said: Mapping[str, Any], home: Path) -> Source:
    """As it is read from a file, without the time it takes to read YAML."""
    text = " ".join(str(path[-1]) for path in FILES)
    found = Source(str(home / "torhaus.yml"), text, node(said))
    read_files(found)
    return found


def node(found: Any) -> Node:
    if isinstance(found, Mapping):
        below = {str(key): node(value) for key, value in found.items()}
        return Node(1, below, dict.fromkeys(below, 1))
    return Node(1, [node(each) for each in found] if isinstance(found, list) else found)


def in_force(said: Mapping[str, Any], home: Path) -> str:
    """Raises ConfigError."""
    found = source(said, home)
    file = validate(found)
    if file is None:
        raise ConfigError(found.problems)
    blueprint = compiled.blueprint(found, file, {"PATH": "/nowhere"}, 0.0)
    settings = compiled.settings(found, file, None)
    found.refuse()
    return plain([settings, blueprint.rules()], {})


def plain(found: Any, seen: dict[int, str]) -> str:
    """With what is secret, and without what follows from the text. `seen`: what has been said."""
    if isinstance(found, str | int | float | None):
        return repr(found)
    if id(found) not in seen:
        seen[id(found)] = ""  # nothing holds itself
        seen[id(found)] = f"{type(found).__name__}({', '.join(parts(found, seen))})"
    return seen[id(found)]


def parts(found: Any, seen: dict[int, str]) -> list[str]:
    if isinstance(found, Secret):
        return [found.reveal()]
    if isinstance(found, msgspec.Struct):
        names = [name for name in found.__struct_fields__ if name not in DIGESTS]
        return [f"{name}={plain(getattr(found, name), seen)}" for name in names]
    if isinstance(found, Mapping):
        return [f"{plain(key, seen)}: {plain(each, seen)}" for key, each in found.items()]
    if isinstance(found, frozenset | set):
        return sorted(plain(each, seen) for each in found)
    if isinstance(found, list | tuple):
        return [plain(each, seen) for each in found]
    slots = [name for each in type(found).__mro__ for name in getattr(each, "__slots__", ())]
    if slots and not isinstance(found, Path):
        return [f"{name}={plain(getattr(found, name, None), seen)}" for name in slots]
    return [repr(found)]


def leaves(found: Any, where: Where = ()) -> Iterator[tuple[Where, Any]]:
    """Every value that is no block, with its place; lists of plain values are one."""
    if isinstance(found, dict):
        for key, value in found.items():
            yield from leaves(value, (*where, key))
    elif isinstance(found, list) and any(isinstance(each, dict) for each in found):
        for number, value in enumerate(found):
            yield from leaves(value, (*where, number))
    else:
        yield where, found


def others(value: Any, home: Path) -> Iterator[Any]:
    """What else could stand there."""
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int | float):
        yield value + 1
    elif isinstance(value, list):
        yield value[1:]
        for other in others(value[0], home):
            yield [other, *value[1:]]
    elif (home / f"other-{value.removeprefix('./')}").exists():
        yield re.sub(r"(\./)?(.*)", r"\1other-\2", value, count=1)
    else:
        yield from WORDS.get(value, ())
        yield re.sub(r"[0-9]+", lambda each: str(int(each[0]) + 1), value)
        yield f"{value}2"
        yield value.replace("example", "sample")


WORDS: Mapping[str, tuple[Any, ...]] = {
    "alice@example.com": ("bob@example.com",),
    "reader": ("owner",),
    "owner": ("reader",),
    "web": ("basic", "field"),
    "web__get_issue": ("web__do_it", "basic__get_issue"),
    "private": ("loopback",),
    "read": ("write",),
    "paths": ("repos",),
    "deny_outside_hours": ("log_only",),
    "deny_outside_networks": ("log_only",),
    "deny_other_clients": ("log_only",),
    "require_approval": ("log_only",),
    "2098-12-31": ("2098-11-30",),
    "archive": ("delete",),
    "user": ("shared",),
    "0" * 64: ("1" * 64,),
}
"""What else a word could be, where it is one of a few."""


def spared(place: str, file: str) -> bool:
    if file == TRIED.get(place):
        return False
    return any(fnmatchcase(place, each) for each in SPARED)


def changed(said: Mapping[str, Any], where: Where, value: Any) -> dict[str, Any]:
    """With another value there; without the key where it is `...`."""
    found: Any = copy.deepcopy(dict(said))
    at = found
    for part in where[:-1]:
        at = at[part]
    if value is ...:
        del at[where[-1]]
    else:
        at[where[-1]] = value
    return dict(found)


def idle(said: Mapping[str, Any], where: Where, value: Any, home: Path, before: str) -> str | None:
    """What is wrong with a key; None when it is in force."""
    accepted = False
    for other in (..., *others(value, home)):
        if other == value:
            continue
        try:
            after = in_force(changed(said, where, other), home)
        except ConfigError:
            continue
        accepted = True
        if after != before:
            return None
    return "changes nothing" if accepted else "cannot be another one: say in WORDS what it could be"


@pytest.mark.parametrize("name", ["house", "rules", "exclusive"])
def test_every_key_that_is_read_is_in_force(name: str, home: Path) -> None:
    said = everything(name)
    before = in_force(said, home)
    assert before == in_force(said, home)  # or every change would seem to be one

    found = {
        place: why
        for where, value in leaves(said)
        if not spared(place := ".".join(map(str, where)), name)
        and (why := idle(said, where, value, home, before)) is not None
    }

    assert found == {}


def test_every_key_of_the_schema_is_in_the_files_and_not_at_its_default(home: Path) -> None:
    seen: set[tuple[str, str]] = set()
    for name in ("house", "rules", "exclusive"):
        said = everything(name)
        found = source(said, home)
        file = validate(found)
        assert file is not None, found.problems
        seen |= set(given(file))

    every = {(each.__name__, key) for each in shapes() for key in each.model_fields}
    files = {str(path[-1]) for path in FILES}  # read in the place of the keys they end in
    assert sorted(each for each in every - seen if each[1] not in files) == []


def test_every_key_for_a_file_is_in_the_files() -> None:
    written = {
        str(where[-1])
        for name in ("house", "rules", "exclusive")
        for where, _ in leaves(everything(name))
    }

    assert {str(path[-1]) for path in FILES} <= written


def test_whatever_is_read_from_the_file_is_asked_for_somewhere() -> None:
    """`auth.local` was once read, kept and never asked for."""
    asked = {
        each.attr
        for path in Path(torhaus.__file__).parent.rglob("*.py")
        if "config" not in path.parts
        for each in ast.walk(ast.parse(path.read_text()))
        if isinstance(each, ast.Attribute) and isinstance(each.ctx, ast.Load)
    }
    fields = {
        f"{each.__name__}.{name}"
        for each in structs(Settings) | structs(Rules)
        for name in each.__struct_fields__
        if name not in asked
    }

    assert sorted(fields) == []


def structs(found: Any) -> set[type[msgspec.Struct]]:
    if isinstance(found, type) and issubclass(found, msgspec.Struct):
        below = [structs(each) for each in get_type_hints(found).values()]
        return {found}.union(*below)
    return set[type[msgspec.Struct]]().union(*(structs(each) for each in get_args(found)))


def given(found: Any) -> Iterator[tuple[str, str]]:
    if isinstance(found, BaseModel):
        for key, field in type(found).model_fields.items():
            value = getattr(found, key)
            if key in found.model_fields_set and (field.is_required() or value != field.default):
                yield type(found).__name__, key
            yield from given(value)
        yield from given(found.__pydantic_extra__ or {})
    elif isinstance(found, Mapping):
        for value in found.values():
            yield from given(value)
    elif isinstance(found, list | tuple):
        for value in found:
            yield from given(value)


def shapes() -> list[type[BaseModel]]:
    found: list[type[BaseModel]] = []

    def walk(annotation: Any) -> None:
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if annotation not in found:
                found.append(annotation)
                for each in annotation.model_fields.values():
                    walk(each.annotation)
                walk(annotation.__annotations__.get("__pydantic_extra__"))
            return
        for each in get_args(annotation):
            walk(each)

    walk(File)
    return found
