"""The whole audit log, verified without the private key: the journal and every file it names."""

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import file_digest
from io import BytesIO
from pathlib import Path

import msgspec

from torhaus.audit.attest import Attest, Keys
from torhaus.audit.catalogue import Catalogue, DayFile, catalogue
from torhaus.audit.chain import Span
from torhaus.audit.examine import Examiner, blocks
from torhaus.audit.reconcile import (
    DAY_FILE,
    SEGMENT,
    contradictions,
    excess,
    listed,
    older,
    unfinished,
)
from torhaus.model.evidence import JournalHead, LiveChain, Sealed
from torhaus.model.keeping import Tier
from torhaus.store.audit.disk import plain
from torhaus.store.audit.journal import NAME, JournalReader
from torhaus.store.audit.recover import chunks
from torhaus.store.audit.segments import being_written

HOT = "hot"


class Trouble(msgspec.Struct, frozen=True):
    """`where`: a file below the audit directory. `line`: from 1, 0 for none. `what`: a sentence."""

    where: str
    line: int
    what: str


class Note(msgspec.Struct, frozen=True):
    """What is no fault, and good to know."""

    where: str
    what: str


class Report(msgspec.Struct, kw_only=True):
    """`sealed`, `live`: segments looked at; `records`: in them. `days`: day files looked at.

    `left_out`: segments and files older than was asked for; `elsewhere`: day files in a bucket.
    """

    troubles: list[Trouble] = msgspec.field(default_factory=list)
    notes: list[Note] = msgspec.field(default_factory=list)
    keys: list[str] = msgspec.field(default_factory=list)
    lines: int = 0
    digest: str = ""
    sealed: int = 0
    live: int = 0
    records: int = 0
    days: int = 0
    left_out: int = 0
    elsewhere: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """`keys`: to be believed; `several`: each of them was named. `heads`: by where they are from.

    `since`: a record's time; what is wholly older is left out. `progress`: told of each file.
    """

    keys: Keys
    several: bool = False
    heads: Mapping[str, JournalHead] = field(default_factory=dict)
    since: str = ""
    progress: Callable[[str], None] = lambda _name: None


def verify(audit: Path, wanted: Wanted) -> Report:
    """Looks at everything and changes nothing. Raises OSError for what cannot be read."""
    return _Verifier(audit, wanted).run()


class _Verifier:
    def __init__(self, audit: Path, wanted: Wanted) -> None:
        self._audit = audit
        self._wanted = wanted
        self.report = Report()

    def run(self) -> Report:
        # First what is there, then what should be: a segment is in the journal before its first
        # record, and what is removed meanwhile has its line before it goes.
        present = self._present()
        found = self._journal()
        here = {*present} - found.compacted.keys()  # those go in a moment, and nobody reads them
        for name in sorted({*found.begun, *found.sealed, *found.broken, *here}):
            self._segment(name, found)
        for name in sorted(found.files):
            self._day(name, found.files[name])
        for where, name in self._day_files():
            self._stranger(where, name, found)
        for name, what in excess(found):
            self._trouble(f"{HOT}/{name}", 0, what)
        return self.report

    def _trouble(self, where: str, line: int, what: str) -> None:
        self.report.troubles.append(Trouble(where, line, what))

    def _note(self, where: str, what: str) -> None:
        self.report.notes.append(Note(where, what))

    def _present(self) -> set[str]:
        try:
            return {each.name for each in os.scandir(self._audit / HOT) if _segment_like(each)}
        except FileNotFoundError:
            return set()

    # -- the journal ---------------------------------------------------------------------------

    def _journal(self) -> Catalogue:
        self._wanted.progress(NAME)
        attest = Attest(self._wanted.keys, several=self._wanted.several)
        for line in journal_lines(self._audit):
            attest.line(line)
        for fault in (*attest.faults, *contradictions(attest.entries)):
            self._trouble(NAME, fault.line, fault.what)
        for source, head in self._wanted.heads.items():
            for fault in attest.head(head):
                self._trouble(NAME, fault.line, f"{fault.what} ({source}, {head.at})")
        self.report.keys = attest.signers
        self.report.lines = attest.lines
        self.report.digest = attest.digest
        if not attest.lines and self._wanted.keys:
            self._trouble(NAME, 0, "there is no journal, though a key was made to sign it")
        return catalogue(attest.entries)

    # -- segments ------------------------------------------------------------------------------

    def _segment(self, name: str, found: Catalogue) -> None:
        where = f"{HOT}/{name}"
        if SEGMENT.fullmatch(name) is None:
            self._trouble(where, 0, "this is no segment's name")
            return
        sealed = found.sealed.get(name) or found.broken.get(name) or found.compacted.get(name)
        if sealed is not None and sealed.last and sealed.last < self._wanted.since:
            self.report.left_out += 1
            return
        if name in found.broken:
            self._trouble(where, 0, f"it was broken when it was sealed: {found.broken[name].why}")
        try:  # one that was not there at first may have come meanwhile
            self._look(name, sealed, found)
        except FileNotFoundError:
            self._missing(name)
        except OSError as error:
            self._trouble(where, 0, f"it cannot be read: {error.strerror}")

    def _missing(self, name: str) -> None:
        now = JournalReader(self._audit).now()
        if name in now.compacted or name in now.deleted:
            return  # it went while this looked
        known = now.sealed.get(name) or now.broken.get(name)
        records = "an unknown number of records" if known is None else f"{known.records} records"
        self._trouble(f"{HOT}/{name}", 0, f"the segment is missing, with {records}")

    def _look(self, name: str, sealed: Sealed | None, found: Catalogue) -> None:
        where = f"{HOT}/{name}"
        self._wanted.progress(where)
        examiner = Examiner(name, self._published(name))
        path, span = self._audit / HOT / name, Span()
        with os.fdopen(plain(path), "rb", 0) as file:
            free = not being_written(file.fileno())
            for body, proof in blocks(chunks(file)):
                examiner.block(body, proof)
                if sealed is None and examiner.head is None:
                    span.add(body.split(b"\n"))
        faults = examiner.faults if sealed is None else examiner.against(sealed)
        for fault in faults:
            self._trouble(where, fault.line, fault.what)
        self.report.records += examiner.records
        if sealed is None:
            self.report.live += 1
            old = older(found, span.last.decode())
            self._live(name, examiner, found, free=free, old=old)
        else:
            self.report.sealed += 1
            self._sealed(where, sealed)

    def _sealed(self, where: str, sealed: Sealed) -> None:
        if sealed.proof == "found":
            self._note(where, f"proved since it was found: {sealed.why}")
        if sealed.proof == "recovered" and sealed.unproved:
            what = f"its process died: the last {sealed.unproved} records are proved since then"
            self._note(where, what)

    def _live(
        self, name: str, examiner: Examiner, found: Catalogue, *, free: bool, old: bool
    ) -> None:
        where = f"{HOT}/{name}"
        if name not in found.begun and examiner.records and not self._known_now(name):
            if examiner.head is None and old:
                self._note(where, "an older version wrote it: it is sealed at the next start")
            else:
                self._trouble(where, 0, "the journal does not know it")
        elif free:
            self._note(where, "its process died: it is sealed at the next start")
        elif examiner.unproved:
            what = f"it is being written: {examiner.unproved} records await their checkpoint"
            self._note(where, what)

    def _known_now(self, name: str) -> bool:
        now = JournalReader(self._audit).now()
        return any(name in each for each in (now.begun, now.sealed, now.broken, now.compacted))

    def _published(self, name: str) -> LiveChain | None:
        known = [head.live[name] for head in self._wanted.heads.values() if name in head.live]
        return max(known, key=lambda each: each.records, default=None)

    # -- day files -----------------------------------------------------------------------------

    def _day(self, name: str, file: DayFile) -> None:
        written = file.written
        where = f"{file.tier}/{name}"
        if written.last < self._wanted.since:
            self.report.left_out += 1
        elif DAY_FILE.fullmatch(name) is None or not file.tier.isalpha():
            self._trouble(where[:200], 0, "this is no day file's name")
        elif file.place != "local":
            self.report.elsewhere += 1
        else:
            self._local(where, file)

    def _local(self, where: str, file: DayFile) -> None:
        self._wanted.progress(where)
        self.report.days += 1
        path = self._audit / where
        try:
            with os.fdopen(plain(path), "rb") as day:
                octets, found = os.fstat(day.fileno()).st_size, file_digest(day, "sha256")
        except FileNotFoundError:
            self._gone(where, file)
            return
        except OSError as error:
            self._trouble(where, 0, f"it cannot be read: {error.strerror}")
            return
        written = file.written
        if octets != written.octets:
            self._trouble(where, 0, f"it has {octets} octets; {written.octets} were written")
        elif found.hexdigest() != written.sha256:
            self._trouble(where, 0, "it was changed: its digest is not the journal's")

    def _day_files(self) -> Iterator[tuple[str, str]]:
        for tier in Tier:
            for path in sorted((self._audit / tier).glob("day=*/*.parquet")):
                name = f"{path.parent.name}/{path.name}"
                yield f"{tier}/{name}", name

    def _stranger(self, where: str, name: str, found: Catalogue) -> None:
        if listed(found, name):
            return
        if DAY_FILE.fullmatch(name) is None:
            self._trouble(where[:200], 0, "this is no day file's name")
            return
        now = JournalReader(self._audit).now()
        if listed(now, name):
            return  # it was made while this looked
        if unfinished(now, name):
            self._note(where, "the journal does not know it yet: a crash may have left it, unread")
        else:
            self._trouble(where, 0, "the journal does not know it, and nothing reads it")

    def _gone(self, where: str, file: DayFile) -> None:
        now = JournalReader(self._audit).now().files.get(file.written.file)
        if now == file:
            self._trouble(where, 0, f"the file is missing, with {file.written.records} records")


def _segment_like(each: "os.DirEntry[str]") -> bool:
    return each.name.startswith("seg-") and each.name.endswith(".jsonl")


def journal_lines(audit: Path) -> Sequence[bytes]:
    """As they are between two appends. Raises OSError."""
    try:
        fd = plain(audit / NAME)
    except FileNotFoundError:
        return []
    with os.fdopen(fd, "rb") as stream:
        fcntl.flock(fd, fcntl.LOCK_SH)
        try:
            size = os.fstat(fd).st_size
        finally:
            fcntl.flock(fd, fcntl.LOCK_UN)
        return list(BytesIO(stream.read(size)))
