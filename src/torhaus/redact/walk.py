"""One walk over the tokens of a JSON text."""

import binascii
import json
import re
from base64 import b64decode, b64encode
from collections.abc import Callable

import msgspec

from torhaus.redact.mask import MASK, NAMED, is_masked, mask
from torhaus.redact.naming import TOKENS, public, telling
from torhaus.redact.schema import is_schema
from torhaus.redact.text import Detectors, UncheckableError, redact_text

MAX_LEVELS = 12
"""JSON inside strings inside JSON: so many levels are looked into."""

MIN_JSON = 3
MIN_CARD = 12
"""Digits from which on a value under a card's name is a card number."""

MIN_PHONE = 6

# A string, and whether a colon makes it a key; a bracket; a number. Literals need no look.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*+"([ \t\r\n]*+:)?|[{}\[\]]|-?[0-9][0-9.eE+-]*+', re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]{8,}={0,2}\s*|[A-Za-z0-9_-]{8,}={0,2}")
BLOBS = frozenset(("blob", "data", "content"))
LABELS = frozenset(("name", "key", "variable"))
"""`{"name": "API_TOKEN", "value": "..."}`: the name of a value that stands beside it."""
_PERSONAL = frozenset(("phone", "card"))


def kind_of(name: str, among: Detectors) -> str | None:
    if not among.names:
        return None
    kind = telling(name)
    return None if kind in _PERSONAL and not among.personal else kind


_read: Callable[[str], str] = json.JSONDecoder(strict=False).decode


class _Frame:
    """One object or array that is open.

    `inherited`: what its leaves are by an outer name. `label`: what its `value` is by its `name`.
    """

    __slots__ = ("inherited", "kind", "label", "masked", "name")

    def __init__(self, inherited: str | None, name: str) -> None:
        self.inherited = inherited
        self.kind = inherited
        self.label: str | None = None
        self.name = name
        self.masked: dict[str, int] = {}


class Walk:
    """`counts` grows with everything that is masked.

    `alive`: those of the detectors that can find anything outside of base64.
    """

    def __init__(self, among: Detectors, alive: Detectors) -> None:
        self._all = among
        self._among = alive
        self._least = 0 if among.numbers else MIN_CARD
        self.counts: dict[str, int] = {}

    def document(self, text: str, level: int = 0) -> str:
        """Valid JSON text with its strings, keys and numbers masked.

        Raises UncheckableError.
        """
        if level > MAX_LEVELS:
            raise UncheckableError("it holds JSON in strings too many times over")
        pieces: list[str] = []
        at = 0
        frame = _Frame(None, "")
        outer: list[_Frame] = []
        for token in _TOKEN.finditer(text):
            first = text[token.start()]
            if first in "{[":
                outer.append(frame)
                frame = _opened(frame, text, token.start())
            elif first in "}]":
                frame = outer.pop()
            else:
                end = token.end() if token[1] is None else token.start(1)
                new = self._leaf(text[token.start() : end], token[1] is not None, frame, level)
                if new is not None:
                    pieces += text[at : token.start()], new
                    at = end
        if not pieces:
            return text
        return "".join((*pieces, text[at:]))

    def _leaf(self, token: str, key: bool, frame: _Frame, level: int) -> str | None:  # noqa: FBT001 -- as the syntax
        if token[0] != '"':
            return self._number(token, frame)
        return self._key(token, frame) if key else self._string(token, frame, level)

    # -- tokens: each returns its new JSON text, or None where it stays ------------------------

    def _key(self, token: str, frame: _Frame) -> str | None:
        name = meant(token)
        frame.name = name
        labelled = frame.label if name.lower() == "value" else None
        frame.kind = kind_of(name, self._among) or labelled or frame.inherited
        masked = self._masked(name)
        if masked == name:
            return None
        seen = frame.masked[masked] = frame.masked.get(masked, 0) + 1
        return _written(masked if seen == 1 else f"{masked} {seen}")

    def _string(self, token: str, frame: _Frame, level: int) -> str | None:
        value = meant(token)
        kind = frame.kind
        if kind is not None and _speaks(value, kind):
            return _written(self._count(kind))
        if frame.label is None and frame.name.lower() in LABELS:
            frame.label = kind_of(value, self._among)
        if frame.name in BLOBS and len(value) >= 8 and _BASE64.fullmatch(value):
            changed = self._blob(value, level)
        else:
            changed = self.text(value, level)
        return None if changed == value else _written(changed)

    def _number(self, number: str, frame: _Frame) -> str | None:
        kind = frame.kind
        digits = sum(each.isdigit() for each in number)
        if kind is None:
            return self._card(number) if digits > self._least else None
        if number == "0" or kind == TOKENS or (kind in _PERSONAL and not _speaks(number, kind)):
            return None
        self._count(kind)
        return "0"

    def _card(self, token: str) -> str | None:
        return None if self._masked(token) == token else "0"

    # -- texts ---------------------------------------------------------------------------------

    def text(self, value: str, level: int) -> str:
        """A string's text: JSON as JSON, anything else as text."""
        if is_json(value):
            return self.document(value, level + 1)
        return self._masked(value)

    def _masked(self, value: str) -> str:
        if len(value) < 6:
            return value
        masked = redact_text(value, self._among)
        for kind, count in masked.counts.items():
            self.counts[kind] = self.counts.get(kind, 0) + count
        return masked.text

    def _blob(self, value: str, level: int) -> str:
        """Base64: if it is a text, the text is checked. What is no text stays as it is."""
        urlsafe = "-" in value or "_" in value
        try:
            raw = b64decode(value, altchars=b"-_") if urlsafe else b64decode(value)
            inside = raw.decode()
        except (binascii.Error, ValueError):
            return self.text(value, level)
        alive, self._among = self._among, self._all
        changed = self.text(inside, level)
        self._among = alive
        if changed == inside:
            return self.text(value, level)
        again = (
            b64encode(changed.encode(), altchars=b"-_") if urlsafe else b64encode(changed.encode())
        )
        return again.decode()

    def _count(self, kind: str) -> str:
        kind = "secret" if kind == TOKENS else kind
        self.counts[kind] = self.counts.get(kind, 0) + 1
        return mask(kind)


def _opened(frame: _Frame, text: str, at: int) -> _Frame:
    """What is inside of the bracket at `at`, in the light of the name it stands under."""
    if text[at] == "[":
        return _Frame(frame.kind, frame.name)
    return _Frame(None if frame.kind is not None and is_schema(text, at) else frame.kind, "")


def meant(token: str) -> str:
    return token[1:-1] if "\\" not in token else _read(token)


def _written(value: str) -> str:
    if value.isascii():
        return json.dumps(value)
    try:
        value.encode()
    except UnicodeEncodeError:
        return json.dumps(value)  # half a character can only be written as an escape
    return json.dumps(value, ensure_ascii=False)


def _speaks(value: str, kind: str) -> bool:
    """Whether a value under a telling name says anything that must not be seen."""
    if not value or value == NAMED or (is_masked(value) and MASK.fullmatch(value)):
        return False
    if kind not in _PERSONAL:
        return kind != "secret" or not public(value)
    least = MIN_PHONE if kind == "phone" else MIN_CARD
    return sum(each.isdigit() for each in value) >= least


def is_json(value: str) -> bool:
    """Whether a string's text is read as JSON: numbers and words are texts."""
    if len(value) < MIN_JSON or value.lstrip(" \t\r\n")[:1] not in ("{", "[", '"'):
        return False
    try:
        msgspec.json.decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return False
    return True
