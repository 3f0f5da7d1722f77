"""Configured patterns: regular expressions of a kind that is never slow, and refused otherwise.

Python's matcher tries every way to divide a text among the parts of a pattern, which can take for
ever (CWE-1333). So only patterns are taken in which there is one way: what a repeated part takes,
the next part cannot begin with. Then nothing is gained by giving back, repeats are made
possessive, and every attempt ends after MAX_WIDTH characters.
"""

import re
from collections.abc import Iterable

import msgspec

from torhaus.model.redaction import Pattern
from torhaus.redact.detector import Detector, Level, Span, Text, always

MAX_PATTERNS = 50
MAX_LENGTH = 300
MIN_WIDTH = 3
MAX_WIDTH = 256
MAX_REPEAT = 64
"""What `+` and `*` mean: at most so many."""
MAX_WAYS = 32

_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_FLAG = "(?i)"
_COUNT = re.compile(r"\{([0-9]{1,3})(,([0-9]{0,3}))?\}")
_CLASS = re.compile(r"\[\^?\]?(?:[^\]\\]|\\.)*\]")
_PLAIN_ESCAPES = frozenset("dDwWsStnrfv")
_EDGES = frozenset(("^", "$", r"\b", r"\B"))
# One of each kind of character: what a part of a pattern can take is told by trying them.
_SAMPLE = "".join(map(chr, range(128))) + "\u00a0äÄßéЖ中٣\u2019\u202f😀"


class _Item(msgspec.Struct, frozen=True):
    """One part: characters of `takes`, or `branches`; `edge` takes nothing. Repeated low..high."""

    source: str
    takes: frozenset[str] = frozenset()
    branches: "tuple[tuple[_Item, ...], ...]" = ()
    edge: bool = False
    low: int = 1
    high: int = 1


_Sequence = tuple[_Item, ...]


class _Reader:
    """Reads what is allowed; anything else is refused where it stands."""

    def __init__(self, text: str) -> None:
        self.flags = re.IGNORECASE if text.startswith(_FLAG) else 0
        self.text = text.removeprefix(_FLAG)
        self.at = 0

    def all(self) -> tuple[_Sequence, ...]:
        branches = self._branches()
        if self.at < len(self.text):
            raise ValueError("a `)` stands there without its `(`")
        return branches

    def _branches(self) -> tuple[_Sequence, ...]:
        found: list[_Sequence] = []
        items: list[_Item] = []
        while self.at < len(self.text) and self.text[self.at] != ")":
            if self.text[self.at] == "|":
                self.at += 1
                found.append(tuple(items))
                items = []
            else:
                items.append(self._repeated(self._part()))
        return (*found, tuple(items))

    def _part(self) -> _Item:
        text, at = self.text, self.at
        first = text[at]
        if first == "(":
            return self._group()
        if first in "*+?{":
            raise ValueError(
                f"`{first}` repeats nothing there (at {at + 1}); for itself write \\{first}"
            )
        if first == "[":
            found = _CLASS.match(text, at)
            if found is None:
                raise ValueError(f"the `[` at {at + 1} has no `]`")
            return self._single(found[0])
        if first == "\\":
            return self._escape(text[at : at + 2])
        if first in "^$":
            self.at += 1
            return _Item(first, edge=True)
        return self._single(first)

    def _escape(self, source: str) -> _Item:
        if source in _EDGES:
            self.at += 2
            return _Item(source, edge=True)
        if len(source) < 2 or (source[1].isalnum() and source[1] not in _PLAIN_ESCAPES):
            raise ValueError(
                f"`{source}` is not supported: use \\d \\w \\s \\b, classes and (?:...)"
            )
        return self._single(source)

    def _single(self, source: str) -> _Item:
        self.at += len(source)
        one = _compiled(source, self.flags)
        takes = frozenset(each for each in _SAMPLE if one.fullmatch(each))
        return _Item(source, takes)

    def _group(self) -> _Item:
        self.at += 3 if self.text.startswith("(?:", self.at) else 1
        if self.text.startswith("?", self.at):
            raise ValueError("only plain groups, (...) and (?:...), are supported")
        branches = self._branches()
        if not self.text.startswith(")", self.at):
            raise ValueError("a `(` stands there without its `)`")
        self.at += 1
        return _Item("", branches=branches)

    def _repeated(self, item: _Item) -> _Item:
        low, high = self._counts()
        if (low, high) == (1, 1):
            return item
        if item.edge:
            raise ValueError(f"{item.source} cannot be repeated")
        if self.text[self.at : self.at + 1] in ("?", "+", "*", "{"):
            raise ValueError(
                "a repeat stands behind a repeat: lazy and possessive ones are not needed"
            )
        if high > MAX_REPEAT or low > high:
            raise ValueError(f"a part is repeated at most {MAX_REPEAT} times, least before most")
        return msgspec.structs.replace(item, low=low, high=high)

    def _counts(self) -> tuple[int, int]:
        first = self.text[self.at : self.at + 1]
        if first in ("*", "+", "?"):
            self.at += 1
            return int(first == "+"), 1 if first == "?" else MAX_REPEAT
        found = _COUNT.match(self.text, self.at)
        if found is None:
            return 1, 1
        self.at = found.end()
        low = int(found[1])
        if found[2] is None:
            return low, low
        return low, int(found[3]) if found[3] else MAX_REPEAT


def _compiled(source: str, flags: int) -> re.Pattern[str]:
    try:
        return re.compile(source, flags)
    except re.error as error:
        raise ValueError(f"`{source}` cannot be read: {error}") from error


# -- what a part can begin with, and how long it can be ----------------------------------------


def _first(items: _Sequence) -> tuple[frozenset[str], bool]:
    """Characters it can begin with, and whether it can be empty."""
    takes: frozenset[str] = frozenset()
    for item in items:
        more, empty = (item.takes, item.edge) if not item.branches else _any_first(item.branches)
        takes |= more
        if not empty and item.low > 0:
            return takes, False
    return takes, True


def _any_first(branches: tuple[_Sequence, ...]) -> tuple[frozenset[str], bool]:
    found = [_first(each) for each in branches]
    return frozenset().union(*(takes for takes, _ in found)), any(empty for _, empty in found)


def _widths(branches: tuple[_Sequence, ...]) -> tuple[int, int]:
    found = [
        tuple(map(sum, zip(*map(_width, each), strict=True))) if each else (0, 0)
        for each in branches
    ]
    return min(low for low, _ in found), max(high for _, high in found)


def _width(item: _Item) -> tuple[int, int]:
    if item.edge:
        return 0, 0
    low, high = _widths(item.branches) if item.branches else (1, 1)
    return low * item.low, high * item.high


def _judge(branches: tuple[_Sequence, ...], follow: frozenset[str]) -> int:
    """The number of ways through it. Raises ValueError where repeats make them countless."""
    ways = len(branches) if _overlap(branches) else 1
    for items in branches:
        after = follow
        for index in range(len(items) - 1, -1, -1):
            item = items[index]
            ways *= _judge_item(item, after)
            takes, empty = _first(items[index:])
            after = takes | (follow if empty else frozenset())
    return ways


def _judge_item(item: _Item, after: frozenset[str]) -> int:
    begins = _first((item,))[0]
    if item.low != item.high and begins & after:
        shared = min(begins & after, key=lambda each: (not each.isalnum(), each))
        raise ValueError(
            f"it can be slow: behind the repeated part {_source((item,))} may come {shared!r}, "
            "which that part takes itself; leave one of them out, or repeat a fixed number of "
            "times, as in {8}"
        )
    if not item.branches:
        return 1
    unsure = _overlap(item.branches) or _any_first(item.branches)[1]
    if unsure and (item.low, item.high) != (1, 1):
        raise ValueError(
            "it can be slow: the ways through a repeated group begin alike, or are empty"
        )
    return _judge(item.branches, after | begins if item.high > 1 else after)


def _overlap(branches: tuple[_Sequence, ...]) -> bool:
    seen: set[str] = set()
    for each in branches:
        takes, empty = _first(each)
        if empty or takes & seen:
            return len(branches) > 1
        seen |= takes
    return False


def _source(items: _Sequence) -> str:
    """The pattern again, its repeats bounded and possessive."""
    return "".join(
        (f"(?:{'|'.join(map(_source, item.branches))})" if item.branches else item.source)
        + ("" if item.low == item.high == 1 else f"{{{item.low},{item.high}}}+")
        for item in items
    )


# -- from the configuration --------------------------------------------------------------------


def checked(pattern: Pattern) -> re.Pattern[str]:
    """The pattern, compiled so that it takes linear time. Raises ValueError: what to write."""
    if _NAME.fullmatch(pattern.name) is None:
        raise ValueError("a pattern's name has up to 32 small letters, digits and hyphens")
    if len(pattern.text) > MAX_LENGTH:
        raise ValueError(f"it is longer than {MAX_LENGTH} characters: use several patterns")
    reader = _Reader(pattern.text)
    branches = reader.all()
    low, high = _widths(branches)
    if low < MIN_WIDTH:
        raise ValueError(
            f"it can match fewer than {MIN_WIDTH} characters: that would mask anything"
        )
    if high > MAX_WIDTH:
        raise ValueError(
            f"it can match {high} characters, at most {MAX_WIDTH} are allowed: repeat parts less "
            f"often, as in {{1,20}} (`+` and `*` mean up to {MAX_REPEAT})"
        )
    if _judge(branches, frozenset()) > MAX_WAYS:
        raise ValueError("it can be slow: too many alternatives begin alike")
    return _compiled("|".join(map(_source, branches)), reader.flags)


def configured(patterns: Iterable[Pattern]) -> tuple[Detector, ...]:
    """One detector for each. Raises ValueError."""
    found = tuple(patterns)
    if len(found) > MAX_PATTERNS:
        raise ValueError(f"there are more than {MAX_PATTERNS} patterns")
    return tuple(_detector(each.name, checked(each)) for each in found)


def _detector(kind: str, pattern: re.Pattern[str]) -> Detector:
    def find(text: Text) -> list[Span]:
        return [Span(*found.span(), kind) for found in pattern.finditer(text.text)]

    return Detector(frozenset((kind,)), Level.SECRETS, always, find)
