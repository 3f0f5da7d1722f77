"""Keeps secrets out of what is written down: those the gateway holds, and what looks like one."""

import re
from collections.abc import Iterable, Mapping
from threading import Lock

import msgspec
from ahocorasick_rs import MATCHKIND_LEFTMOST_LONGEST, AhoCorasick, BytesAhoCorasick, Implementation

from torhaus.redact.anchors import HARD, SOFT
from torhaus.redact.detector import Detector, Level, Span, Text
from torhaus.redact.document import redact_json
from torhaus.redact.spellings import frequent_spellings, sought, spellings, spellings_of_key
from torhaus.redact.text import Detectors, UncheckableError, detectors, redact_text

KIND = "gateway-secret"
"""What a secret of the gateway itself becomes: `[redacted:gateway-secret]`."""

WITHHELD = "[redacted:withheld]"
"""In the place of a text that cannot be checked to its end."""

MANY = 300
"""Of more secrets than that, the later ones are looked for in fewer spellings."""

LENT = 12
"""Secrets under one name; those of long ago are not looked for any more."""

PERSONAL = 1000
"""Secrets of single people that are looked for; those that came first are the first to go."""

_ANCHOR = 24
"""Octets of a spelling that are looked for at first."""

_SMALL = 64 * 1024
"""Octets of anchors up to which the fastest automaton is not too big."""

_HALF = re.compile("[\ud800-\udfff]")
_encode = msgspec.json.Encoder().encode
_CHECKS = tuple(pattern for _, pattern in SOFT)


class Sight(msgspec.Struct, frozen=True):
    """What is looked for now. `softs`: where among the anchors the soft ones begin."""

    anchors: BytesAhoCorasick
    softs: int
    among: Detectors


class Guard:
    """What it is told of is swapped as a whole: any thread may look meanwhile.

    `sight`: another one whenever it was told of other secrets.
    """

    __slots__ = ("_before", "_found", "_keys", "_lent", "_personal", "_turn", "sight")

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._turn = Lock()
        self._keys: tuple[bytes, ...] = ()
        self._before = tuple(secrets)
        self._lent: dict[str, tuple[str, ...]] = {}
        self._personal: dict[str, tuple[str, ...]] = {}
        self._found = _spelled(self._before, self._keys)
        self.sight = _sight(self._found)

    def renew(self, secrets: Iterable[str]) -> None:
        """Look for these from now on, and for those of the last time: calls under way use them.

        The ones that would do most harm come first.
        """
        with self._turn:
            now = tuple(secrets)
            self._look((*now, *self._before, *self._also()))
            self._before = now

    def lend(self, name: str, secrets: Iterable[str]) -> None:
        """Look for these besides, under a name, and for those it stood for the last time."""
        with self._turn:
            former = self._lent.get(name, ())
            found = tuple(dict.fromkeys((*secrets, *former)))[:LENT]
            if set(found) == set(former):
                return
            self._lent = {**self._lent, name: found}
            self._look((*self._before, *self._also()))

    def lend_personal(self, found: Mapping[str, Iterable[str]]) -> None:
        """The same of single people, by name, of whom there may be thousands: as they are alone."""
        with self._turn:
            known = self._people()
            for name, secrets in found.items():
                former = self._personal.pop(name, ())
                both = dict.fromkeys((*filter(sought, secrets), *former))
                self._personal[name] = tuple(both)[:LENT]
            while sum(map(len, self._personal.values())) > PERSONAL:
                del self._personal[next(iter(self._personal))]
            if known != self._people():
                self.sight = _sight(self._found | self._people())

    def _also(self) -> tuple[str, ...]:
        return tuple(secret for lent in self._lent.values() for secret in lent)

    def _people(self) -> frozenset[str]:
        return frozenset(secret for each in self._personal.values() for secret in each)

    def keep(self, *keys: bytes) -> None:
        """Look for these keys, random octets, for good."""
        with self._turn:
            self._keys += keys
            self._look((*self._before, *self._also()))

    def _look(self, secrets: Iterable[str]) -> None:
        self._found = _spelled(secrets, self._keys)
        self.sight = _sight(self._found | self._people())

    def suspects(self, raw: bytes | msgspec.Raw) -> bool:
        """Whether a closer look at JSON text, or at any text, may find something."""
        sight = self.sight
        hits = sight.anchors.find_matches_as_indexes(raw, overlapping=True)
        return bool(hits) and _suspicious(hits, sight.softs, raw)

    def text(self, text: str) -> str:
        """A text for people without secrets; the same object where there are none."""
        if not self.suspects(_encode(_whole(text))):  # in JSON a quote of the text is escaped
            return text
        try:
            return redact_text(text, self.sight.among).text
        except UncheckableError:
            return WITHHELD

    def json(self, raw: bytes) -> bytes:
        """JSON text without secrets in keys and values. Raises UncheckableError."""
        return redact_json(raw, self.sight.among).text if self.suspects(raw) else raw


def _spelled(secrets: Iterable[str], keys: Iterable[bytes]) -> frozenset[str]:
    """What is too short is left out."""
    found: set[str] = set()
    for number, secret in enumerate(dict.fromkeys(secrets)):
        if sought(secret):
            found |= spellings(secret) if number < MANY else frequent_spellings(secret)
    for key in keys:
        found |= spellings_of_key(key)
    return frozenset(found)


def _sight(found: frozenset[str]) -> Sight:
    live = (hunter(found),) if found else ()
    among = detectors([Level.SECRETS], live)
    among = msgspec.structs.replace(among, numbers=bool(live))
    return Sight(*_anchors(found), among)


def _suspicious(hits: list[tuple[int, int, int]], softs: int, raw: bytes | msgspec.Raw) -> bool:
    text: bytes | None = None
    for number, start, _ in hits:
        if number < softs:
            return True
        text = bytes(raw) if text is None else text
        if _CHECKS[number - softs].match(text, start) is not None:
            return True
    return False


def _anchors(found: Iterable[str]) -> tuple[BytesAhoCorasick, int]:
    hard = [*HARD, *{each.encode("utf-8", "replace")[:_ANCHOR] for each in found}]
    every = [*hard, *(anchor for anchor, _ in SOFT)]
    small = sum(map(len, every)) <= _SMALL
    kind = Implementation.DFA if small else Implementation.ContiguousNFA
    return BytesAhoCorasick(every, implementation=kind), len(hard)


def _whole(text: str) -> str:
    """The text, character by character, without halves that UTF-8 cannot carry."""
    return text if text.isascii() else _HALF.sub("?", text)


def hunter(found: Iterable[str]) -> Detector:
    """Finds these spellings, of which there is at least one, wherever they stand."""
    automaton = AhoCorasick(sorted(found), matchkind=MATCHKIND_LEFTMOST_LONGEST)

    def gate(text: Text) -> bool:
        return bool(automaton.find_matches_as_indexes(_whole(text.text)))

    def find(text: Text) -> list[Span]:
        hits = automaton.find_matches_as_indexes(_whole(text.text))
        return [Span(start, end, KIND) for _, start, end in hits]

    return Detector(frozenset((KIND,)), Level.SECRETS, gate, find)


SHAPES = Guard()
"""Knows no secret of a gateway, but what secrets look like."""
