"""What is too random for a name that somebody gave: perhaps a secret in the wrong place.

Where a caller names what is not there (a tool, a method, an id), nobody can say what he meant, and
a token that was pasted there would stand in the log for years.
"""

import re
from typing import Any

UNKNOWN = "[redacted:unknown]"
"""In the place of such a text."""

OURS = re.compile(r"(?:adm|req|dcr)_[0-9a-f]{12,40}(?:-[0-9a-f]+)?")
"""Ids that Torhaus makes."""
_RECOVERY = re.compile(r"(?<![\w-])[2-9a-hjkmnp-z]{4}(?:-[2-9a-hjkmnp-z]{4}){3}(?![\w-])")
_NUMBER = re.compile(r"\s*(?:\d\s*){6,}")
_PIECE = re.compile(r"[0-9A-Za-z]+")
_TURN = re.compile(r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)|(?<=[a-z])(?=[A-Z])")
_LONG, _MIXED = 20, 16
_TURNS, _EACH = 6, 5
"""Words begin, and letters meet digits, so often at least, and once in so many characters.

Names have fewer of them: `k8s_get_pods_v1beta1`, `getIssuesByLabelAndMilestone`.
"""


def opaque(text: str) -> bool:
    """Whether it is a number, a recovery code, or random letters and digits. Words are not."""
    if OURS.fullmatch(text):
        return False
    if _NUMBER.fullmatch(text) or _RECOVERY.search(text):
        return True
    pieces = _PIECE.findall(text)
    if any(_random(each) for each in pieces):
        return True
    turns = sum(len(_TURN.findall(each)) for each in pieces)
    return len(text) >= _MIXED and turns >= max(_TURNS, len(text) / _EACH)


def _random(piece: str) -> bool:
    if len(piece) < _MIXED or piece.isdigit() or piece.isalpha():
        return False
    return len(piece) >= _LONG or (piece.lower() != piece and piece.upper() != piece)


def discreet(text: str) -> str:
    return UNKNOWN if opaque(text) else text


def discreetly(value: Any) -> Any:
    """The same of all texts within."""
    match value:
        case str():
            return discreet(value)
        case dict():
            return {name: discreetly(each) for name, each in value.items()}
        case list() | tuple():
            return [discreetly(each) for each in value]
        case _:
            return value


def without(text: str, *names: str) -> str:
    """A sentence without those of the names that are opaque."""
    for name in names:
        if opaque(name):
            text = text.replace(name, UNKNOWN)
    return text
