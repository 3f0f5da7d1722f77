"""Sealed segments become day files; small day files of a day that is over become one.

What happens when is what makes it safe to die anywhere: the file is whole and on the disk before
the journal names it, and the journal names it before anything it holds is removed (`sweeping`).
"""

import shutil
from collections.abc import Container, Iterable, Mapping
from pathlib import Path

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from torhaus.audit.catalogue import Catalogue, DayFile
from torhaus.audit.entries import read
from torhaus.audit.holdings import filed_days
from torhaus.audit.retention import day_of, ended
from torhaus.audit.signing import SignatureError, opened, verify
from torhaus.model.evidence import Sealed, Written
from torhaus.store.audit.disk import prepare
from torhaus.store.audit.journal import NAME
from torhaus.store.audit.keys import keys_directory, public_keys
from torhaus.store.audit.tiers.depot import Depot, UpkeepError
from torhaus.store.audit.tiers.order import Draft, Order, Part, Source
from torhaus.store.audit.tiers.shelves import LOCAL, proper, same, settle

log = structlog.get_logger()

BATCH = 256 * 1024 * 1024
"""Octets of segments that are taken at once."""

SMALL = 64 * 1024 * 1024
"""Octets of a day file up to which files of one day are made one."""

LATE = 3600.0
"""Seconds after a day's end in which its files are left as they are."""


def compact(depot: Depot, without: Container[str] = ()) -> dict[str, str]:
    """Takes one batch; returns what was refused: segments and why. They stay.

    `without`: segments that are left alone.

    Raises UpkeepError, OSError.
    """
    known = depot.catalogue()
    batch, missing = _batch(depot, known, without)
    if not batch:
        return missing
    clear(depot)
    vouched, refused = _vouched(depot, batch)
    order = Order(folder=str(depot.work), segments=_sources(depot, known, vouched))
    made = depot.convert(order)
    for draft in sorted(made.drafts, key=lambda each: each.day):
        _file(depot, draft)
    return {**missing, **refused, **made.refused}


def waiting(known: Catalogue) -> list[Sealed]:
    """Segments whose records are to become day files, oldest first."""
    return [known.sealed[name] for name in sorted(known.sealed)]


def _batch(
    depot: Depot, known: Catalogue, without: Container[str]
) -> tuple[list[Sealed], dict[str, str]]:
    batch: list[Sealed] = []
    missing = {}
    size = 0
    for sealed in waiting(known):
        if sealed.segment in without:
            continue
        if not _path(depot, sealed.segment).is_file():
            missing[sealed.segment] = "it is not there any more"
            continue
        if batch and size + sealed.octets > BATCH:
            break
        batch.append(sealed)
        size += sealed.octets
    return batch, missing


def _vouched(depot: Depot, batch: list[Sealed]) -> tuple[list[Sealed], dict[str, str]]:
    """Those whose line in the journal one of our keys has signed, and why not the others."""
    wanted = {each.segment: each for each in batch}
    try:
        keys = public_keys(keys_directory(depot.audit))
    except ValueError as error:
        raise UpkeepError(str(error)) from error
    with (depot.audit / NAME).open("rb") as stream:
        lines = [line for line in stream if b'"type":"sealed"' in line]
    events = (read(line).event for line in lines if _signed(line, keys))
    signed = {
        each.segment: each
        for each in events
        if isinstance(each, Sealed) and wanted.get(each.segment) == each
    }
    why = "no key in audit/keys has signed what the journal says of it"
    return [*signed.values()], {name: why for name in wanted if name not in signed}


def _signed(line: bytes, keys: Mapping[str, Ed25519PublicKey]) -> bool:
    try:
        parts = opened(line)
        verify(parts, keys[parts.key])
    except (SignatureError, KeyError):
        return False
    return True


def _sources(depot: Depot, known: Catalogue, batch: list[Sealed]) -> tuple[Source, ...]:
    filed = filed_days(known)
    return tuple(
        Source(
            name=each.segment,
            path=str(_path(depot, each.segment)),
            records=each.records,
            octets=each.octets,
            sha256=each.sha256,
            without=filed.get(each.segment, ()),
        )
        for each in batch
    )


def _path(depot: Depot, segment: str) -> Path:
    if Path(segment).name != segment or not segment.startswith("seg-"):
        raise UpkeepError(f"the journal names a segment {segment[:80]!r}, which is no file's name")
    return depot.segments / segment


def clear(depot: Depot) -> None:
    """Forgets what was unfinished when an earlier run ended."""
    shutil.rmtree(depot.work, ignore_errors=True)
    prepare(depot.work)


def _file(depot: Depot, draft: Draft, replaces: Iterable[str] = ()) -> str:
    """Gives it its name, on the disk and then in the journal."""
    name = _free_name(depot, draft.day)
    written = Written(
        file=name,
        day=draft.day,
        records=draft.records,
        octets=draft.octets,
        sha256=draft.sha256,
        first=draft.first,
        last=draft.last,
        segments=draft.segments,
        replaces=tuple(replaces),
    )
    source = Path(draft.path)
    if not same(source, written):
        raise UpkeepError(f"{source} is not what was made")
    settle(source, depot.local("hot").path(name))
    depot.journal.append(written)
    source.unlink()
    log.info("audit.filed", file=name, records=written.records, octets=written.octets)
    return name


def _free_name(depot: Depot, day: str) -> str:
    """The next number of this node and day.

    A file of that name that is there already was about to be named in the journal when a run
    ended; nothing knows it, and it is made again.
    """
    known = depot.catalogue()
    prefix = f"day={day}/{depot.journal.node}-"
    taken = [
        int(name.removeprefix(prefix).removesuffix(".parquet"))
        for kept in (known.files, known.replaced, known.deleted)
        for name in kept
        if name.startswith(prefix)
    ]
    return proper(f"{prefix}{max(taken, default=0) + 1:010d}.parquet")


def merge(depot: Depot, now: float) -> bool:
    """Makes one file of a day's small ones, once the day is over; False: there is nothing to do.

    Raises UpkeepError, OSError.
    """
    known = depot.catalogue()
    parts = _to_merge(depot, known, now)
    if not parts:
        return False
    clear(depot)
    hot = depot.local("hot")
    order = Order(
        folder=str(depot.work),
        merge=tuple(
            Part(
                name=each.written.file,
                path=str(hot.path(each.written.file)),
                records=each.written.records,
                octets=each.written.octets,
                sha256=each.written.sha256,
            )
            for each in parts
        ),
    )
    made = depot.convert(order)
    for name, why in made.refused.items():
        raise UpkeepError(f"{name}: {why}")
    for draft in made.drafts:
        _file(depot, draft, replaces=[each.written.file for each in parts])
    return True


def _to_merge(depot: Depot, known: Catalogue, now: float) -> list[DayFile]:
    late = min((day_of(each.first) for each in known.sealed.values()), default="9999")
    days: dict[str, list[DayFile]] = {}
    for file in known.files.values():
        written = file.written
        mine = file.node == depot.journal.node and file.tier == "hot" and file.place == LOCAL
        if mine and written.day < late and now > ended(written.day) + LATE:
            days.setdefault(written.day, []).append(file)
    for _, files in sorted(days.items()):
        chosen: list[DayFile] = []
        for file in sorted(files, key=lambda each: each.written.octets):
            if sum(each.written.octets for each in chosen) + file.written.octets <= SMALL:
                chosen.append(file)
        if len(chosen) > 1:
            return chosen
    return []
