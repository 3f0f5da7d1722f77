"""Keeps a server's own credentials out of what it says, at the price of a search for each."""

import json
import re
from collections.abc import Callable, Iterable, Iterator

from ahocorasick_rs import MATCHKIND_LEFTMOST_FIRST, BytesAhoCorasick

from torhaus.redact.document import redact_json
from torhaus.redact.guard import KIND, hunter
from torhaus.redact.mask import mask
from torhaus.redact.spellings import LONGEST, sought, spellings
from torhaus.redact.text import Detectors, UncheckableError

_MASK = mask(KIND).encode()
_LEAST = 8
_SAME = re.compile(r"[A-Za-z0-9_.~:=-]+")
"""What every writer of JSON writes as it is. Some escape `/`, others `+`, `&`, `<` and `'`."""


class Own:
    """Compiled once for a server: `clean` is for everything it sends. `told`: that one was found.

    `find` says quickly whether `masked` is to look closer: else there is nothing in it.
    """

    __slots__ = ("_among", "_needles", "_plain", "_told", "find")

    def __init__(self, secrets: Iterable[str], told: Callable[[], None] = lambda: None) -> None:
        self._told = told
        known = [each.strip()[:LONGEST] for each in dict.fromkeys(secrets) if sought(each)]
        self._needles = _shortest(needle for each in known for needle in _needles(each))
        # Searches with SIMD, which `bytes.find` does not: 0.25 us for 5 kB, not 3 to 9. Other
        # kinds of matches do without it where there are several.
        finder = BytesAhoCorasick(self._needles, matchkind=MATCHKIND_LEFTMOST_FIRST)
        self.find = finder.find_matches_as_indexes
        plain = {text.encode() for each in known for text in _written(each)}
        self._plain = sorted({*plain, *self._needles}, key=lambda each: (-len(each), each))
        found = {spelling for each in known for spelling in spellings(each)}
        self._among = Detectors((hunter(found),) if found else (), False, bool(found), names=False)

    def __bool__(self) -> bool:
        """Whether there is anything to look for."""
        return bool(self._needles)

    def clean(self, raw: bytes) -> bytes:
        """JSON text without them; the very same object where none is in it."""
        return self.masked(raw) if self.find(raw) else raw

    def masked(self, raw: bytes) -> bytes:
        try:
            clean = redact_json(raw, self._among).text
        except UncheckableError:  # too long, too deep, no JSON: then octet by octet
            clean = raw
            for each in self._plain:
                clean = clean.replace(each, _MASK)
        if clean is not raw:
            self._told()
        return clean


def _needles(secret: str) -> Iterator[bytes]:
    """What is in a text whenever the secret is: the longest part that nobody escapes."""
    longest = max(_SAME.findall(secret), key=len, default="")
    if len(longest) >= _LEAST:
        yield longest.encode()
        return
    yield from (each.encode() for each in _written(secret))


def _written(secret: str) -> Iterator[str]:
    """As it is, and as JSON."""
    for text in (secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]):
        yield text
        yield text.replace("/", "\\/")


def _shortest(needles: Iterable[bytes]) -> tuple[bytes, ...]:
    """Without those that others are a part of."""
    every = sorted(set(needles), key=lambda each: (len(each), each))
    kept: list[bytes] = []
    for needle in every:
        if not any(each in needle for each in kept):
            kept.append(needle)
    return tuple(kept)
