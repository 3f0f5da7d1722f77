"""The audit log asked: 10 million records in 180 day files and 100,000 in a live segment.

`python -m bench.audit_query`. Each question as a gateway puts it: files from the journal, a process
of its own, its sandbox, DuckDB, the answer as JSON and back. Exit 1 when one of the product text's
three takes longer than 2 s, or a page of one day's records longer than 0.5 s; the least of the
rounds counts. The records are made up once, by DuckDB, and kept in the folder --keep names.
"""

import argparse
import asyncio
import os
import shutil
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec

from bench.audit_days import write_days
from torhaus.audit.pages import Filters, page
from torhaus.audit.part import Part
from torhaus.audit.saved import SHIPPED
from torhaus.audit.shape import timestamp
from torhaus.model.asking import Question, Table
from torhaus.model.evidence import Begun, Written
from torhaus.model.record import Record, RecordAccess, RecordResult, RecordUser
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.keys import audit_key
from torhaus.store.audit.lines import add_line
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords

DAYS, RECORDS, LIVE, ROUNDS = 180, 10_000_000, 100_000, 5
LEDGER, PAGE = 2.0, 0.5
"""Seconds that a question over everything, and a page of one day, may take."""
BRIEF = ("sensitive-repos", "denied", "top-callers")


def stock(
    directory: Path, now: datetime, *, days: int = DAYS, records: int = RECORDS, live: int = LIVE
) -> None:
    """An audit log in `directory`/audit; the day files end yesterday, the live segment now."""
    audit = directory / "audit"
    (audit / "hot").mkdir(parents=True)
    journal = Journal(audit, audit_key(directory, os.urandom), node="bench")
    for path in write_days(audit / "hot", now - timedelta(days=1), days=days, records=records):
        journal.append(_written(path, records // days))
    name = "seg-20260101T000000000000Z-1-aa.jsonl"
    lines = bytearray()
    for each in _live(live, now.timestamp()):
        add_line(lines, each)
    (audit / "hot" / name).write_bytes(lines)
    journal.append(Begun(segment=name))


def _written(path: Path, records: int) -> Written:
    day = path.parent.name.removeprefix("day=")
    return Written(
        file=f"{path.parent.name}/{path.name}",
        day=day,
        records=records,
        octets=path.stat().st_size,
        sha256="0" * 64,
        first=f"{day}T00:00:00.000Z",
        last=f"{day}T23:59:59.999Z",
        segments={},
    )


def _live(count: int, now: float) -> Iterator[Record]:
    for number in range(count):
        yield Record(
            timestamp(now - 3600 + 3600 * number / count),
            f"req_{number:x}",
            RecordUser(f"user{number % 500}@example.com", "developer", "10.0.0.1"),
            "github",
            "list_issues",
            msgspec.Raw(b'{"repo":"myorg/web","state":"open","page":3}'),
            RecordResult("success", number % 50, number % 3 == 0, 12.5),
            RecordAccess("developer: github.read", allowed=True, reason="allowed by a rule"),
        )


def questions(now: datetime) -> dict[str, tuple[Question, float]]:
    """Each by name, with the seconds it may take."""
    found = {
        f"--saved {name}": (Question(sql=SHIPPED[name].sql, rows=10_000), LEDGER) for name in BRIEF
    }
    day = f"{now - timedelta(days=30):%Y-%m-%d}"
    part = Part(since=f"{day}T00:00:00.000Z", until=f"{day}T23:59:59.999Z")
    for name, filters in {
        "one day": Filters(part=part),
        "one day, one user": Filters(part=msgspec.structs.replace(part, user="user3@example.com")),
        "one day, refused": Filters(part=part, allowed=False),
        "one day, one repository": Filters(part=part, repo="myorg/svc-7"),
        "one day, one key": Filters(part=msgspec.structs.replace(part, credential="file-key:1")),
    }.items():
        sql, bound = page(filters, None)
        found[name] = (
            Question(sql=sql, parameters=bound, first_day=day, last_day=day, rows=50),
            PAGE,
        )
    every = "SELECT count(*) FROM audit_logs WHERE repo = $repo"
    repository = Question(sql=every, parameters={"repo": "myorg/sensitive-hr"})
    return {**found, "one repository, all 180 days": (repository, LEDGER)}


async def measure(directory: Path, now: datetime, rounds: int) -> dict[str, tuple[float, float]]:
    """The least seconds of each question, and how many it may take."""
    records = SandboxRecords(AuditFiles(directory / "audit").find)
    asked = questions(now)
    least = dict.fromkeys(asked, float("inf"))
    for _ in range(rounds):
        for name, (question, _) in asked.items():
            began = time.perf_counter()
            found = await records.ask(question)
            if not isinstance(found, Table):
                raise SystemExit(f"{name}: {found.why}")
            least[name] = min(least[name], time.perf_counter() - began)
    return {name: (seconds, asked[name][1]) for name, seconds in least.items()}


def report(found: dict[str, tuple[float, float]]) -> bool:
    """Prints all; whether every promise is kept."""
    for name, (seconds, most) in found.items():
        word = "PASS" if seconds <= most else "FAIL"
        print(f"{word} {name:<30} {seconds:6.3f} s, at most {most:g} s")
    return all(seconds <= most for seconds, most in found.values())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=RECORDS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--keep", type=Path, default=Path(".bench/audit-query"))
    chosen = parser.parse_args()
    now = datetime.now(UTC)
    home = chosen.keep / f"{now:%Y-%m-%d}-{chosen.records}"
    if not (home / "done").exists():
        shutil.rmtree(chosen.keep, ignore_errors=True)
        began = time.perf_counter()
        stock(home, now, records=chosen.records)
        (home / "done").touch()
        print(f"made up {chosen.records:,} records in {time.perf_counter() - began:.0f} s")
    sys.exit(0 if report(asyncio.run(measure(home, now, chosen.rounds))) else 1)


if __name__ == "__main__":
    main()
