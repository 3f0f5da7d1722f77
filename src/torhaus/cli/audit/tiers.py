"""`torhaus audit tiers`: what lies where, and what happens next."""

import time
from datetime import UTC, datetime
from typing import Any

import msgspec

from torhaus.audit.catalogue import Catalogue, DayFile
from torhaus.audit.retention import End, Move, Stay, Wait, fate
from torhaus.cli.audit.depots import existing
from torhaus.cli.output import columns, counted, printable, refuse, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, DataDir, Reader, read_or_exit
from torhaus.config.settings import Settings
from torhaus.model.keeping import Bucket, Retention, Tier
from torhaus.store.audit.journal import JournalReader


class Row(msgspec.Struct):
    """One tier. `next`: what happens to its files next, as a sentence; empty for nothing."""

    tier: str
    place: str
    files: int = 0
    records: int = 0
    bytes: int = 0
    first_day: str = ""
    last_day: str = ""
    next: str = ""


def tiers(*, config: ConfigFile = DEFAULT, data_dir: DataDir = None, json: AsJson = False) -> None:
    """Show where audit records are, how many, and what happens next.

    Read from the journal, without a gateway; records that are being written are not counted.
    """
    settings = read_or_exit(Reader(path=config, data_dir=data_dir)).settings
    reader = JournalReader(existing(settings))
    try:
        known = reader.now()
    except OSError as error:
        refuse(f"The journal cannot be read: {error.strerror}.")
    if reader.damaged:
        refuse("The journal is damaged; see torhaus audit verify.")
    rows = [_segments(known), *_rows(known, settings, time.time())]
    holds = [msgspec.to_builtins(each) for each in known.holds.values()]
    if json:
        facts: dict[str, Any] = {"tiers": rows, "holds": holds, "broken": [*known.broken]}
        say_json(facts)
        return
    say(columns([HEAD, *(_cells(each) for each in rows)]))
    if known.begun:
        say(f"Not counted: {counted(len(known.begun), 'segment')} still written.", "dim")
    if holds:
        say(f"{counted(len(holds), 'legal hold')}: see torhaus audit holds list.", "yellow")
    if known.broken:
        say(printable(f"Not what was written: {', '.join(known.broken)}."), "bold red")


HEAD = ("TIER", "WHERE", "FILES", "RECORDS", "SIZE", "FROM", "TO", "NEXT")


def _segments(known: Catalogue) -> Row:
    rest = known.sealed.values()
    return Row(
        tier="segments",
        place="disk",
        files=len(rest),
        records=sum(each.records for each in rest),
        bytes=sum(each.octets for each in rest),
        first_day=min((each.first[:10] for each in rest), default=""),
        last_day=max((each.last[:10] for each in rest), default=""),
        next="become day files within the hour" if rest else "",
    )


def _rows(known: Catalogue, settings: Settings, now: float) -> list[Row]:
    found: dict[tuple[str, str], Row] = {}
    for tier in Tier:
        place = _place(tier, settings.bucket)
        found[tier, place] = Row(tier=tier, place=place)
    coming: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for file in sorted(known.files.values(), key=lambda each: each.written.day):
        place = "disk" if file.place == "local" else file.place
        row = found.setdefault((file.tier, place), Row(tier=file.tier, place=place))
        row.files += 1
        row.records += file.written.records
        row.bytes += file.written.octets
        row.first_day = row.first_day or file.written.day
        row.last_day = file.written.day
        change = _change(file, settings.retention, known, now)
        if change is not None:
            coming.setdefault((file.tier, place), []).append(change)
    for key, changes in coming.items():
        found[key].next = min(changes)[1]
    return [row for row in found.values() if row.files or row.tier != Tier.ARCHIVE]


def _place(tier: Tier, bucket: Bucket | None) -> str:
    return "disk" if bucket is None or tier is Tier.HOT else bucket.place


def _change(
    file: DayFile, retention: Retention, known: Catalogue, now: float
) -> tuple[float, str] | None:
    """When, and what: a sentence."""
    day, tier = file.written.day, Tier(file.tier)
    match fate((day, day), tier, retention, known.holds.values(), now):
        case Move(to):
            return now, f"{day} is due for {to}"
        case End():
            return now, f"{day} is due to be deleted"
        case Wait(hold):
            return now, f"{day} is held by {hold}"
        case Stay(until) if until is not None:
            after = fate((day, day), tier, retention, known.holds.values(), until)
            return until, f"{_date(until)}: {day} {_said(after)}"
        case _:
            return None


def _said(after: object) -> str:
    match after:
        case Move(tier):
            return f"goes to {tier}"
        case End():
            return "is deleted"
        case Wait(hold):
            return f"would end, but for {hold}"
        case _:
            return "stays"


def _date(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"


def _cells(row: Row) -> tuple[str, ...]:
    size = _size(row.bytes) if row.files else ""
    count = (str(row.files), f"{row.records:,}") if row.files else ("-", "-")
    return (row.tier, row.place, *count, size, row.first_day, row.last_day, row.next)


def _size(octets: int) -> str:
    for unit, size in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if octets >= size:
            return f"{octets / size:.1f} {unit}"
    return f"{octets} B"
