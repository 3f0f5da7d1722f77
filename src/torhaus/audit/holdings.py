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
    """By segment, the days of its records that are in day files, wherever those are now."""
    found: dict[str, set[str]] = {}
    for file in (*known.files.values(), *known.replaced.values()):
        for name in file.written.segments:
            found.setdefault(name, set()).add(file.written.day)
    return {name: tuple(sorted(days)) for name, days in found.items()}


def _days(files: Iterable[DayFile]) -> tuple[str, ...]:
    return tuple(sorted({each.written.day for each in files}))
