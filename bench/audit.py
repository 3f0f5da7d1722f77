"""What the audit log costs: CPU, latency and octets of a record, and the time to verify them.

`python -m bench.audit`. The real ledger in this process, on the disk below `.bench`. CPU is that of
the whole process, all threads, less what the same program takes without noting anything; the least
of the rounds. Exit 1 when a promise is missed.
"""

import argparse
import asyncio
import os
import shutil
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import uvloop

from torhaus.model.record import Record, RecordAccess, RecordCall, RecordResult, RecordUser
from torhaus.store.audit.disk import prepare
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.keys import audit_key, keys_directory, public_keys
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.segments import segments
from torhaus.store.audit.verify import Wanted, verify
from torhaus.store.audit.writer import LedgerSettings

RATE = 10_000
TICK = 0.001
MILLION = 1_000_000

PROMISES = {
    "async, us of CPU a record": 12.0,
    "durable, records a second asked and written": RATE * 0.99,
    "durable, p99 ms": 10.0,
    "octets a record, of them proof": 12.0,
    "verify a million, s": 5.0,
}
AT_LEAST = {"durable, records a second asked and written"}

RECORD = Record(
    "2025-10-20T14:23:11.234Z",
    "req_0f3a9c11d2e41b2c",
    RecordUser("alice@company.local", "developer", "192.168.1.100"),
    "github",
    "list_issues",
    msgspec.Raw(b'{"owner":"myorg","repo":"myrepo","state":"open","per_page":30}'),
    RecordResult("success", 12, False, 234.117),
    RecordAccess("developer: github.read", True, "developer may read"),
    RecordCall("claude-code", "2025-11-25", 64, 5120),
    "key:adm_0f3a9c11d2e41b2c77a0",
)


class Disk:
    """A data directory that is gone afterwards."""

    def __init__(self, where: Path) -> None:
        self.data = where
        shutil.rmtree(where, ignore_errors=True)
        prepare(where / "audit")
        self.journal = Journal(where / "audit", audit_key(where, os.urandom))

    def ledger(self, **settings: Any) -> SegmentLedger:
        made = SegmentLedger(self.data / "audit" / "hot", self.journal, LedgerSettings(**settings))
        made.start()
        return made


async def paced(seconds: float, work: Callable[[], None]) -> float:
    """Calls `work` at `RATE`; the CPU seconds that went by in this process."""
    loop = asyncio.get_running_loop()
    begun, cpu, done = loop.time(), time.process_time(), 0
    while (now := loop.time()) < begun + seconds:
        due = int((now - begun) * RATE) - done
        for _ in range(due):
            work()
        done += due
        await asyncio.sleep(TICK)
    return (time.process_time() - cpu) / max(done, 1)


async def lazily(disk: Disk, seconds: float) -> float:
    """Microseconds of CPU a record, `async`."""
    idle = await paced(seconds / 2, lambda: None)
    ledger = disk.ledger(durability="async")
    busy = await paced(seconds, lambda: ledger.note(RECORD) and None)
    await ledger.close()
    return (busy - idle) * 1e6


async def durably(disk: Disk, seconds: float) -> dict[str, float]:
    ledger = disk.ledger()
    loop = asyncio.get_running_loop()
    waits: list[float] = []

    def one() -> None:
        begun = time.perf_counter()
        waiter = ledger.note(RECORD)
        waiter.add_done_callback(lambda _done: waits.append(time.perf_counter() - begun))  # type: ignore[union-attr]

    begun = loop.time()
    cpu = await paced(seconds, one)
    await ledger.close()
    took = loop.time() - begun
    waits.sort()
    return {
        "durable, records a second asked and written": len(waits) / took,
        "durable, p50 ms": waits[len(waits) // 2] * 1e3,
        "durable, p99 ms": waits[len(waits) * 99 // 100] * 1e3,
        "durable, us of CPU a record": cpu * 1e6,
    }


def bare(where: Path, count: int = 400) -> dict[str, float]:
    """What the disk alone takes for one write of ten records and its sync."""
    fd = os.open(where / "bare", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    took = []
    for _ in range(count):
        begun = time.perf_counter()
        os.write(fd, bytes(5500))
        os.fdatasync(fd)
        took.append(time.perf_counter() - begun)
    os.close(fd)
    took.sort()
    return {"disk alone, p50 ms": took[count // 2] * 1e3, "disk alone, p99 ms": took[-4] * 1e3}


async def many(disk: Disk, count: int) -> float:
    """As fast as it goes; records a second."""
    ledger = disk.ledger(durability="async")
    begun = time.monotonic()
    for number in range(count):
        waiter = ledger.note(RECORD)
        if waiter is not None:
            await waiter
        elif number % 500 == 0:
            await asyncio.sleep(0)
    await ledger.close(60)
    return count / (time.monotonic() - begun)


def octets(disk: Disk) -> tuple[float, float]:
    """A record, and of it what is proof."""
    whole = proof = records = 0
    for path in segments(disk.data / "audit" / "hot"):
        for line in path.read_bytes().splitlines(keepends=True):
            whole += len(line)
            if line.startswith((b'{"checkpoint":', b'{"segment":')):
                proof += len(line)
            else:
                records += 1
    return whole / records, proof / records


def verified(disk: Disk) -> float:
    audit = disk.data / "audit"
    begun = time.monotonic()
    report = verify(audit, Wanted(keys=public_keys(keys_directory(audit))))
    took = time.monotonic() - begun
    if report.troubles or report.records != MILLION:
        raise SystemExit(f"not in order: {report.records} records, {report.troubles[:3]}")
    return took


def measure(where: Path, seconds: float, rounds: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for _ in range(rounds):
        disk = Disk(where)
        lazy = uvloop.run(lazily(disk, seconds))
        size, proof = octets(disk)
        durable = uvloop.run(durably(Disk(where), seconds))
        once = {
            "async, us of CPU a record": lazy,
            **bare(where),
            **durable,
            "octets a record": size,
            "octets a record, of them proof": proof,
        }
        for name, value in once.items():
            best = max if name in AT_LEAST else min
            found[name] = best(found.get(name, value), value)
    disk = Disk(where)
    found["async, records a second at most"] = uvloop.run(many(disk, MILLION))
    found["verify a million, s"] = min(verified(disk) for _ in range(rounds))
    return found


def main() -> int:
    asked = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    asked.add_argument("--seconds", type=float, default=3.0, help="of each measurement")
    asked.add_argument("--rounds", type=int, default=3)
    options = asked.parse_args()
    where = Path(".bench") / "audit"
    try:
        found = measure(where, options.seconds, options.rounds)
    finally:
        shutil.rmtree(where, ignore_errors=True)
    missed = 0
    for name, value in found.items():
        promise, told = PROMISES.get(name), ""
        if promise is not None:
            kept = value >= promise if name in AT_LEAST else value <= promise
            missed += not kept
            word = "at least" if name in AT_LEAST else "at most"
            told = f"{word} {promise:,.0f}: {'kept' if kept else 'MISSED'}"
        print(f"{name:<46} {value:>12,.2f}  {told}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
