"""What files the audit log consists of: the journal, read from its first line to its last."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from torhaus.model.evidence import (
    Begun,
    Deleted,
    Held,
    JournalEntry,
    Left,
    Moved,
    Released,
    Sealed,
    Written,
)

_V = TypeVar("_V")


def _nothing() -> dict[str, _V]:
    return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class DayFile:
    """A day file that exists, and where it is. `node`: whose work it is."""

    written: Written
    node: str
    tier: str = "hot"
    place: str = "local"
    storage_class: str = ""


@dataclass(slots=True, kw_only=True)
class Catalogue:
    """By name of segment or file; a name is in one of the first four at most.

    `begun`: being written, or left behind by a process that died. `sealed`: to be read from the
    segment, for not all of its records are in day files. `broken`: sealed too, but not to be
    trusted, so left where it is. `compacted`: wholly in day files; the segment may still be there
    for a moment, and is not to be read. `filed`: how many of a segment's records are in day files.
    `replaced`: files whose records are in others. `ended`: files that were deleted, as they were.
    `left`: octets of segments that are in `begun` and that their process gave up.
    `number`: of the newest entry. `since`: the time of the first one.
    """

    begun: dict[str, JournalEntry] = field(default_factory=_nothing)
    sealed: dict[str, Sealed] = field(default_factory=_nothing)
    broken: dict[str, Sealed] = field(default_factory=_nothing)
    compacted: dict[str, Sealed] = field(default_factory=_nothing)
    filed: dict[str, int] = field(default_factory=_nothing)
    files: dict[str, DayFile] = field(default_factory=_nothing)
    replaced: dict[str, DayFile] = field(default_factory=_nothing)
    ended: dict[str, DayFile] = field(default_factory=_nothing)
    deleted: dict[str, Deleted] = field(default_factory=_nothing)
    holds: dict[str, Held] = field(default_factory=_nothing)
    left: dict[str, int] = field(default_factory=_nothing)
    number: int = 0
    since: str = ""

    def note(self, entry: JournalEntry) -> None:
        """One more line of the journal."""
        self.number = entry.number
        self.since = self.since or entry.at
        match entry.event:
            case Begun(segment=name):
                self.begun[name] = entry
            case Left(segment=name, octets=octets):
                self.left[name] = octets
            case Sealed() as sealed:
                self._seal(sealed)
            case Written() as written:
                self._write(written, entry.node)
            case Moved() as moved:
                self._move(moved)
            case Deleted() as deleted:
                self._delete(deleted)
            case Held() as held:
                self.holds[held.hold] = held
            case Released(hold=name):
                self.holds.pop(name, None)

    def _seal(self, sealed: Sealed) -> None:
        name = sealed.segment
        self.begun.pop(name, None)
        self.left.pop(name, None)
        if sealed.proof == "broken":
            self.broken[name] = sealed
        elif self.filed.get(name, 0) >= sealed.records:  # also: it holds none
            self.compacted[name] = sealed
        else:
            self.sealed[name] = sealed

    def _write(self, written: Written, node: str) -> None:
        self.files[written.file] = DayFile(written=written, node=node)
        for name in written.replaces:
            if (old := self.files.pop(name, None)) is not None:
                self.replaced[name] = old
        for name, records in written.segments.items():
            self.filed[name] = self.filed.get(name, 0) + records
            sealed = self.sealed.get(name)
            if sealed is not None and self.filed[name] >= sealed.records:
                self.compacted[name] = self.sealed.pop(name)

    def _move(self, moved: Moved) -> None:
        if (file := self.files.get(moved.file)) is not None:
            self.files[moved.file] = replace(
                file, tier=moved.tier, place=moved.place, storage_class=moved.storage_class
            )

    def _delete(self, deleted: Deleted) -> None:
        self.deleted[deleted.file] = deleted
        if (file := self.files.get(deleted.file)) is not None:
            self.ended[deleted.file] = file
        for kept in (self.files, self.sealed, self.broken, self.begun):
            kept.pop(deleted.file, None)

    def held(self, day: str) -> list[Held]:
        """The holds that keep this day: `2025-10-20`."""
        return [each for each in self.holds.values() if each.first_day <= day <= each.last_day]


def catalogue(entries: Iterable[JournalEntry]) -> Catalogue:
    made = Catalogue()
    for entry in entries:
        made.note(entry)
    return made
