"""What servers say of themselves and of what else they offer, without what cannot be seen."""

import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import msgspec
import structlog

from torhaus.mcp.methods import LISTS
from torhaus.policy.hidden import stripped
from torhaus.policy.poison import MAX_TEXT, PoisonError, cleaned

log = structlog.get_logger()

HELLOS = frozenset(("initialize", "server/discover"))
"""Methods whose result holds `instructions`."""

MAX_INSTRUCTIONS = 32_768
"""Longest instructions of a server, in characters."""

_MAX_KEPT = 1024 * 1024
# Nothing is hidden without one of these bytes or escapes.
_NOT_PLAIN = re.compile(rb"[^\x20-\x7e\t\r\n]|\\[ubfr]")
# What names an item to its server. A resource is known by its address; its name is for people.
_NAMES = {"prompts/list": frozenset(("name",))}
_ADDRESSES = frozenset(("uri", "uriTemplate"))

_decode = msgspec.json.decode
_encode = msgspec.json.encode


def seen(method: str, result: bytes) -> bytes:
    """A list of prompts, resources or templates, or a server's hello, as clients may see it.

    Raises msgspec.MsgspecError, UnicodeDecodeError or RecursionError for what is no such result.
    """
    if len(result) > _MAX_KEPT:
        return _cleaned(method, result)
    return _remembered(method, result)


def whatever(result: bytes, clean: Callable[[str, bytes], bytes]) -> bytes:
    """A result of an unknown method. `clean` (method, result) is asked for every list in it.

    Raises as `seen` does.
    """
    loose = _decode(result, type=dict[str, msgspec.Raw])
    for method, member in LISTS.items():
        if member in loose and bytes(loose[member]).startswith(b"["):
            result = clean(method, result)
    return seen("initialize", result) if "instructions" in loose else result


def _cleaned(method: str, result: bytes) -> bytes:
    if method in HELLOS and not result.lstrip().startswith(b"{"):
        return result  # no hello at all; whoever waits for one will say so
    loose = _decode(result, type=dict[str, msgspec.Raw])
    longest = max(map(len, result.split(b'"')))
    if longest <= MAX_TEXT and not _NOT_PLAIN.search(result) and _encode(loose) == result:
        return result
    if method in HELLOS:
        _hello(loose)
    else:
        member = LISTS[method]
        items = _decode(loose.get(member, msgspec.Raw(b"[]")), type=list[dict[str, Any]])
        loose[member] = msgspec.Raw(_encode(_clean(method, items)))
    return _encode(loose)


_remembered = lru_cache(maxsize=64)(_cleaned)


def _clean(method: str, items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    kept, why = [], ""
    for item in items:
        try:
            kept.append(cleaned(item, _NAMES.get(method, _ADDRESSES)))
        except PoisonError as error:
            why = why or str(error)
    if why:
        left = len(items) - len(kept)
        log.warning("catalogue.withheld", method=method, items=left, reason=why)
    return kept


def _hello(loose: dict[str, msgspec.Raw]) -> None:
    for name in ("instructions", "serverInfo", "_meta"):
        if name in loose:
            value = _decode(loose[name])
            loose[name] = msgspec.Raw(_encode(_texts(value)))


def _texts(value: Any) -> Any:
    if isinstance(value, str):
        return stripped(value)[:MAX_INSTRUCTIONS]
    if isinstance(value, list):
        return [_texts(each) for each in value]
    if isinstance(value, dict):
        return {name: _texts(each) for name, each in value.items()}
    return value
