"""Which files hold the records of some days, by the journal: each record in one of them. Pure."""

from collections.abc import Iterable

import msgspec

from torhaus.audit.catalogue import Catalogue, DayFile

ARCHIVE = "archive"
"""The tier that no question reads."""


class Segment(msgspec.Struct, frozen=True):
    """`without`: days whose records are in day files already, and not to be read here again."""

    name: str
    without: tuple[str, ...] = ()


class Holdings(msgspec.Struct, frozen=True):
    """`archived`: days that have records which no question reads."""

    segments: tuple[Segment, ...]
    files: tuple[DayFile, ...]
    archived: tuple[str, ...] = ()


def holdings(known: Catalogue, first_day: str = "", last_day: str = "") -> Holdings:
    """Days are both included; empty: from the beginning, to the end."""
    last = last_day or "9999"
    filed = filed_days(known)
    names = [
        *known.begun,
        *(
            each.segment
            for each in (*known.sealed.values(), *known.broken.values())
            if not each.first or (each.first[:10] <= last and each.last[:10] >= first_day)
        ),
    ]
    files = [each for each in known.files.values() if first_day <= each.written.day <= last]
    return Holdings(
        tuple(Segment(name, filed.get(name, ())) for name in sorted(names)),
        tuple(each for each in files if each.tier != ARCHIVE),
        _days(each for each in files if each.tier == ARCHIVE),
    )


def filed_days(known: Catalogue) -> dict[str, tuple[str, ...]]:
    """By segment, the days of its records that are in day files, wherever those are now.

    Days whose files have ended count too: nobody may take those records for new ones.
    """
    found: dict[str, set[str]] = {}
    for file in _ever(known):
        for name in file.written.segments:
            found.setdefault(name, set()).add(file.written.day)
    return {name: tuple(sorted(days)) for name, days in found.items()}


def holders(known: Catalogue, segment: str) -> list[DayFile]:
    """The day files that have its records now, however often they were made one of several."""
    names: set[str] = set()
    before = -1
    while len(names) > before:
        before = len(names)
        names.update(
            each.written.file
            for each in _ever(known)
            if segment in each.written.segments or not names.isdisjoint(each.written.replaces)
        )
    return [file for name, file in known.files.items() if name in names]


def _ever(known: Catalogue) -> tuple[DayFile, ...]:
    return (*known.files.values(), *known.replaced.values(), *known.ended.values())


def _days(files: Iterable[DayFile]) -> tuple[str, ...]:
    return tuple(sorted({each.written.day for each in files}))
