"""The secrets that a file holds or points to, so that nothing the gateway writes shows them."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, SecretStr

from torhaus.config.schema import File
from torhaus.config.servers import ServerSpec
from torhaus.config.tree import Path, Source
from torhaus.model.secret import Secret
from torhaus.model.servers import HttpAddress, StdioAddress
from torhaus.redact.naming import telling

_SCHEME = re.compile(r"(?i)(?:bearer|basic|token|apikey|digest)\s+(\S+)")
_URL = re.compile(r"[a-z][a-z0-9+.-]{1,20}://")
# Values of any name, some of which are secrets: environment variables, headers, plugins' options.
_MIXED = frozenset(("env", "headers", "options"))
_TOLD = frozenset(("password", "secret", "cookie", "tokens"))
_OPAQUE = 16
_ORDINARY = re.compile(r"[\s/\\@]|^[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
"""Paths, addresses, sentences, and UUIDs, which mostly name things."""


def secrets(source: Source, file: File) -> tuple[Secret, ...]:
    """Every one once: what is declared as secret, passwords in URLs, opaque arguments from outside.

    Keys of users come last: there may be thousands. `env` and `headers` hold ordinary values too:
    there, a telling name or an opaque value counts.
    """
    others = {key: value for key, value in file if key != "users"}
    found = dict.fromkeys([*_below(others, ""), *_from_outside(source), *_declared(file.users, "")])
    return tuple(Secret(value) for value in found if value)


def of_server(
    source: Source, name: str, spec: ServerSpec, address: HttpAddress | StdioAddress
) -> tuple[Secret, ...]:
    """What one server must not repeat: of headers and `auth`, of `env`, of arguments from outside.

    Not the name it is greeted with (`username`), which it may well say.
    """
    held = {key: value for key, value in spec if key != "auth"}
    found = [*_below(held, ""), *_from_outside(source, ("mcpServers", name))]
    if spec.auth is not None and isinstance(address, HttpAddress):
        own = spec.auth.type in ("stored", "oauth")
        shown = () if own else _parts(address.headers[0][1].reveal())
        found += _declared(spec.auth, "") if own else shown
    return tuple(Secret(value) for value in dict.fromkeys(found) if value)


def _declared(value: Any, name: str) -> Iterator[str]:
    """Secrets anywhere in the shapes, whoever adds one."""
    match value:
        case SecretStr():
            yield from _parts(value.get_secret_value())
        case BaseModel():
            yield from _below(dict(value), name)  # what is beside the declared keys as well
        case Mapping():
            held = value.items()
            mixed = name in _MIXED
            yield from _below({k: v for k, v in held if not mixed or _is_secret(str(k), v)}, name)
        case tuple() | list() | set() | frozenset():
            for each in value:
                yield from _declared(each, name)
        case str() if name in _MIXED or _URL.match(value):
            yield from _parts(value) if name in _MIXED else _password(value)
        case _:
            pass


def _below(held: Mapping[Any, Any], name: str) -> Iterator[str]:
    for key, value in held.items():
        yield from _declared(value, str(key) if name not in _MIXED else name)


def _is_secret(name: str, value: Any) -> bool:
    text = value.get_secret_value() if isinstance(value, SecretStr) else str(value)
    return telling(name) in _TOLD or _opaque(text)


def _parts(value: str) -> Iterator[str]:
    """A secret, or what of a header or an URL is secret."""
    scheme = _SCHEME.fullmatch(value.strip())
    if scheme is not None:
        yield scheme[1]
        yield from _basic(scheme[1])
    elif _URL.match(value):
        yield from _password(value)
    else:
        yield value


def _basic(value: str) -> Iterator[str]:
    try:
        _, colon, password = b64decode(value, validate=True).decode().partition(":")
    except (Base64Error, ValueError):
        return
    if colon:
        yield password


def _password(url: str) -> Iterator[str]:
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return
    if password:
        yield unquote(password)
    # An address such as https://hooks.example/T01/B02/x7... is the secret itself.
    yield from (each for each in re.split(r"[/?&=]", f"{parts.path}?{parts.query}") if _key(each))


def _key(part: str) -> bool:
    return len(part) >= _OPAQUE and _opaque(part)


def _from_outside(source: Source, below: Path = ()) -> Iterator[str]:
    """Arguments of commands that came from a variable and look like no word: `--token=...`."""
    for path, node in source.root.walk():
        if path[: len(below)] != below:
            continue
        if node.outside and "args" in path and isinstance(node.value, str):
            value = node.value.rpartition("=")[2]
            yield from _parts(value) if _opaque(value) else ()


def _opaque(value: str) -> bool:
    """No path, address or sentence: long, without spaces, with digits among letters."""
    scheme = _SCHEME.fullmatch(value.strip())
    bare = value if scheme is None else scheme[1]
    if len(bare) < _OPAQUE or _ORDINARY.search(bare) is not None:
        return False
    return any(each.isdigit() for each in bare) and any(each.isalpha() for each in bare)
