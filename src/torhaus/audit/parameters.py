"""What a call's arguments look like in the audit log: strict, bounded, one line, no secrets."""

import hashlib
import re
from itertools import product
from typing import Any

import msgspec
from ahocorasick_rs import BytesAhoCorasick, Implementation

from torhaus.model.auditing import MAX_PARAMETERS

MAX_BYTES = MAX_PARAMETERS
"""Arguments longer than this are recorded by size and SHA-256 only."""

MAX_DEPTH = 100
"""Deeper arguments are recorded by size and SHA-256 only: whoever reads a record recurses."""

MASK = "•••"

# Without one of these, in whatever case, no name is a secret's. `\\u` because an escape can spell
# any name. One automaton takes a third of the time of a regular expression with alternatives.
_WORDS = ("pass", "pwd", "secret", "token", "authoriz", "credent", "key", "cookie")
_SUSPICIOUS = BytesAhoCorasick(
    [
        *(
            "".join(mixed).encode()
            for word in _WORDS
            for mixed in product(*zip(word, word.upper(), strict=True))
        ),
        b"\\u",
    ],
    implementation=Implementation.DFA,
)
_LABELS = frozenset(("name", "key", "variable", "header", "field", "param"))
_VALUES = frozenset(("value", "val", "values", "content"))
_LONGEST_NAME = 80
_SEPARATORS = re.compile(r"[\s_.\-]+")
_SECRET_NAME = re.compile(
    r"passw|passphrase|pwd|secret|token|apikey|accesskey|privatekey|authorization|credential|cookie"
)
_LINE_FEED, _RETURN = b"\n\r"
_EMPTY = msgspec.Raw(b"{}")
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def parameters(payload: bytes, most: int = MAX_BYTES) -> msgspec.Raw:
    """One line of JSON text for any bytes; the payload itself wherever it may stay as it is.

    Values under keys named like secrets become `•••`. Payloads that are too long, too deep or
    not JSON become `{"_truncated": true}` or `{"_invalid": true}` with `bytes` and `sha256`.
    `most`: bytes that are not too long.
    """
    if not payload:
        return _EMPTY
    if len(payload) > most:
        return truncated(payload)
    try:
        value = _decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return _withheld("_invalid", payload)
    if len(payload) > 2 * MAX_DEPTH and _may_be_deep(payload) and _deeper(value, MAX_DEPTH):
        return truncated(payload)
    if _SUSPICIOUS.find_matches_as_indexes(payload):
        return msgspec.Raw(_encode(_masked(value)))
    if _LINE_FEED in payload or _RETURN in payload:  # between tokens; in strings they are escaped
        return msgspec.Raw(_encode(value))
    return msgspec.Raw(payload)


def truncated(payload: bytes) -> msgspec.Raw:
    """What stands for arguments that are too long."""
    return _withheld("_truncated", payload)


def _withheld(why: str, payload: bytes) -> msgspec.Raw:
    digest = hashlib.sha256(payload).hexdigest()
    return msgspec.Raw(_encode({why: True, "bytes": len(payload), "sha256": digest}))


def _may_be_deep(payload: bytes) -> bool:
    """A look at the text that spares nearly every payload the walk through its value."""
    return payload.count(b"{") + payload.count(b"[") > MAX_DEPTH


def _deeper(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        return levels == 0 or any(_deeper(item, levels - 1) for item in value.values())
    if isinstance(value, list):
        return levels == 0 or any(_deeper(item, levels - 1) for item in value)
    return False


def _masked(value: Any) -> Any:
    if isinstance(value, dict):
        labelled = _labelled(value)
        return {
            key: MASK
            if _is_secret(key, item) or (labelled and key.lower() in _VALUES)
            else _masked(item)
            for key, item in value.items()
        }
    if isinstance(value, list):
        if len(value) == 2 and _tells(value[0]) and not isinstance(value[1], dict | list):
            return [value[0], MASK]  # a header, as some programs write them
        return [MASK if _given(value, at) else _masked(item) for at, item in enumerate(value)]
    return value


def _given(words: list[Any], at: int) -> bool:
    """Whether it is what an option before it asks for: `["mysql", "--password", "..."]`."""
    if at == 0 or not isinstance(words[at], str):
        return False
    before, word = words[at - 1], words[at]
    option = _tells(before) and before[:1] == "-" and "=" not in before
    amount = option and before.endswith("tokens") and word.isdigit()
    return option and not amount and word[:1] != "-"


def _labelled(value: dict[str, Any]) -> bool:
    """Whether it is `{"name": "API_TOKEN", "value": "..."}`, in some spelling of that."""
    return any(key.lower() in _LABELS and _tells(item) for key, item in value.items())


def _tells(name: Any) -> bool:
    return isinstance(name, str) and len(name) <= _LONGEST_NAME and _is_secret(name, "")


def _is_secret(key: str, value: Any) -> bool:
    if value is None or isinstance(value, bool):
        return False
    name = _SEPARATORS.sub("", key.lower())
    if isinstance(value, int | float) and name.endswith("tokens"):
        return False  # `max_tokens`: an amount
    return _SECRET_NAME.search(name) is not None
