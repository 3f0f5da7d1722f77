"""Masks what detectors find in a text."""

from collections.abc import Iterable, Mapping

import msgspec

from torhaus.redact.assigned import ASSIGNED
from torhaus.redact.credentials import CREDENTIALS
from torhaus.redact.detector import Detector, Level, Span, reading
from torhaus.redact.mask import MASK, mask
from torhaus.redact.personal import PERSONAL
from torhaus.redact.tokens import TOKENS

MAX_ROUNDS = 6
"""A mask can lay bare what stood next to it; so a text with hits is looked at again."""

SHIPPED: tuple[Detector, ...] = (*TOKENS, *CREDENTIALS, ASSIGNED, *PERSONAL)


class UncheckableError(Exception):
    """A text that cannot be checked to its end, and so must not be passed on."""


class Detectors(msgspec.Struct, frozen=True):
    """What is looked for. `personal`: also under names such as `phone`.

    `numbers`: also in short numbers of JSON, such as a password of digits. `names`: what stands
    under a name that tells of a secret is one.
    """

    rows: tuple[Detector, ...]
    personal: bool
    numbers: bool = False
    names: bool = True


def detectors(levels: Iterable[Level], more: tuple[Detector, ...] = ()) -> Detectors:
    """The shipped detectors of these levels, and `more`: configured ones."""
    chosen = frozenset(levels)
    rows = tuple(row for row in SHIPPED if row.level in chosen)
    return Detectors(rows + more, Level.PERSONAL in chosen)


class Masked(msgspec.Struct, frozen=True):
    """`counts`: kind -> how many were masked."""

    text: str
    counts: Mapping[str, int]


NOTHING: Mapping[str, int] = {}


def redact_text(text: str, among: Detectors) -> Masked:
    """`text` with everything found replaced by `[redacted:<kind>]`; the same object if nothing is.

    Doing it again changes nothing. Raises UncheckableError when it comes to no end.
    """
    counts: dict[str, int] = {}
    for _ in range(MAX_ROUNDS):
        changed = _round(text, among, counts)
        if changed is None:
            return Masked(text, counts if counts else NOTHING)
        text = changed
    raise UncheckableError("masking comes to no end")


def found(text: str, rows: Iterable[Detector]) -> bool:
    """Whether any of these finds anything."""
    whole = reading(text)
    return any(row.gate(whole) and row.find(whole) for row in rows)


def _round(text: str, among: Detectors, counts: dict[str, int]) -> str | None:
    """One look at the text between masks. None: nothing found."""
    if "[redacted:" not in text:
        return _part(text, among, counts)
    parts: list[str] = []
    at, changed = 0, False
    for masked in MASK.finditer(text):
        changed |= _kept(text[at : masked.start()], among, counts, parts)
        parts.append(masked[0])
        at = masked.end()
    changed |= _kept(text[at:], among, counts, parts)
    return "".join(parts) if changed else None


def _kept(part: str, among: Detectors, counts: dict[str, int], parts: list[str]) -> bool:
    changed = _part(part, among, counts) if part else None
    parts.append(part if changed is None else changed)
    return changed is not None


def _part(text: str, among: Detectors, counts: dict[str, int]) -> str | None:
    whole = reading(text)
    spans: list[Span] = []
    for row in among.rows:
        if row.gate(whole):
            spans += row.find(whole)
    return _replaced(text, spans, counts) if spans else None


def _replaced(text: str, spans: list[Span], counts: dict[str, int]) -> str:
    spans.sort(key=lambda span: (span.start, -span.end))
    pieces: list[str] = []
    at = 0
    for index, span in enumerate(spans):
        if index and span.start < at:
            at = max(at, span.end)  # overlaps the one before, whose mask covers both
            continue
        pieces.append(text[at : span.start])
        pieces.append("0" if span.number else mask(span.kind))
        counts[span.kind] = counts.get(span.kind, 0) + 1
        at = span.end
    pieces.append(text[at:])
    return "".join(pieces)
