"""One round of the work on day files: each step by itself, so that one that fails holds up none."""

import fcntl
import os
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from torhaus.audit.catalogue import Catalogue, DayFile
from torhaus.audit.retention import End, Move, fate
from torhaus.model.evidence import Sealed
from torhaus.model.keeping import NO_STANDING, Bucket, Retention, Shelved, Standing, Tier
from torhaus.model.ports import LedgerError
from torhaus.store.audit.disk import prepare
from torhaus.store.audit.tiers.compacting import compact, merge, waiting
from torhaus.store.audit.tiers.depot import Depot, UpkeepError
from torhaus.store.audit.tiers.moving import end, move
from torhaus.store.audit.tiers.restoring import Restores
from torhaus.store.audit.tiers.shelves import ShelfError
from torhaus.store.audit.tiers.sweeping import Sweeper

log = structlog.get_logger()

LOCK = "upkeep.lock"
COMPACTION = ("compact", "merge", "sweep")
STEPS = ("compact", "merge", "move", "restore", "sweep", "sweep_bucket")
FULL = 64 * 1024 * 1024
"""Octets of sealed segments that are compacted before their hour."""
HOUR, DAY = 3600.0, 86400.0
PAUSE, LONGEST = 60.0, 1800.0
"""Seconds after a step has failed until it is tried again, and the most that becomes."""

_FAILURES = (ShelfError, UpkeepError, LedgerError, OSError)
_TRIES = 3
"""Files that may fail one after another before the round gives up: the bucket is down."""

Note = Callable[[DayFile, str], None]
Awaited = Callable[[float], Container[str]]


@dataclass(slots=True)
class Step:
    """When a step is due, and what went wrong the last time."""

    due: float = 0.0
    failed: int = 0
    total: int = 0
    why: str | None = None


class Upkeep:
    """`note`: leaves an audit record before a file ends. `stopped`: whether to come to an end.

    `awaited`: segments that are still to be delivered somewhere, and are not removed.
    `grace`: seconds that what may be removed is left for queries that are reading it.
    """

    def __init__(  # noqa: PLR0913 -- one argument for each thing it works with
        self,
        depot: Depot,
        retention: Retention,
        bucket: Bucket | None = None,
        *,
        note: Note = lambda _file, _why: None,
        stopped: Callable[[], bool] = lambda: False,
        awaited: Awaited = lambda _now: (),
        grace: float = 120.0,
    ) -> None:
        self.depot = depot
        self.retention = retention
        self.restores = Restores(depot, bucket)
        self.standing: Standing = NO_STANDING
        self.refused: dict[str, str] = {}
        self._note = note
        self._stopped = stopped
        self._awaited = awaited
        self._sweeper = Sweeper(grace)
        self._steps: dict[str, Step] = {}
        self._restoring = 0
        self._strange: list[str] = []

    def round(self, now: float, steps: Container[str] = STEPS) -> bool:
        """What is due of these steps. False when another process does it. Raises nothing expected.

        Whatever moment it is ended at, the next round goes on from there.
        """
        with self._locked() as mine:
            for name in STEPS if mine else ():
                if name in steps:
                    self._step(name, now, *self._works()[name])
        self.look()
        return mine

    def _works(self) -> dict[str, tuple[Callable[[float], None], float]]:
        """By step: the work, and seconds until it is due again."""
        return {
            "compact": (self._compact, HOUR if self._few() else 0.0),
            "merge": (self._merge, HOUR),
            "move": (self._move, HOUR),
            "restore": (self._restore, 0.0),
            "sweep": (self._sweep, 0.0),
            "sweep_bucket": (self._sweep_bucket, DAY),
        }

    def hurry(self) -> None:
        """Everything is due, also what failed a moment ago."""
        for step in self._steps.values():
            step.due = 0.0

    @contextmanager
    def _locked(self) -> Iterator[bool]:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        try:
            prepare(self.depot.audit)
            fd = os.open(self.depot.audit / LOCK, flags, 0o600)
        except OSError as error:
            self._fail("lock", 0.0, f"{self.depot.audit}: {error.strerror}")
            yield False
            return
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
        else:
            yield True
        finally:
            os.close(fd)

    def _step(self, name: str, now: float, work: Callable[[float], None], every: float) -> None:
        step = self._steps.setdefault(name, Step())
        if now < step.due or self._stopped():
            return
        try:
            work(now)
        except _FAILURES as error:
            if not self._stopped():  # then it was cut short
                self._fail(name, now, str(error))
            return
        step.due, step.failed, step.why = now + every, 0, None

    def _fail(self, name: str, now: float, why: str) -> None:
        step = self._steps.setdefault(name, Step())
        pause = min(PAUSE * 2**step.failed, LONGEST)
        step.due, step.why = now + pause, why
        step.failed += 1
        step.total += 1
        log.error("audit.upkeep_failed", step=name, error=why, again_in=pause)

    def _few(self) -> bool:
        try:
            known = self.depot.catalogue()
        except UpkeepError:
            return True
        return sum(each.octets for each in waiting(known)) < FULL

    def _compact(self, _now: float) -> None:
        self.refused = {}
        before = -1
        while not self._stopped():
            left = len(self.depot.catalogue().sealed)
            if left == before or left == len(self.refused):
                break
            before = left
            self.refused.update(compact(self.depot, self.refused))
        if self.refused:
            name, why = next(iter(self.refused.items()))
            more = f", and {len(self.refused) - 1} more" if len(self.refused) > 1 else ""
            raise UpkeepError(f"{name} stays a segment: {why}{more}")

    def _merge(self, now: float) -> None:
        while not self._stopped() and merge(self.depot, now):
            pass

    def _move(self, now: float) -> None:
        known = self.depot.catalogue()
        failures: list[str] = []
        moved = False
        for file in sorted(known.files.values(), key=lambda each: each.written.day):
            if self._stopped() or len(failures) >= _TRIES:
                break
            try:
                moved |= self._change(file, known, now)
            except _FAILURES as error:
                failures.append(str(error))
        if moved:
            self._steps.setdefault("sweep_bucket", Step()).due = 0.0
        if failures:
            raise UpkeepError(failures[0])

    def _change(self, file: DayFile, known: Catalogue, now: float) -> bool:
        span = (file.written.day, file.written.day)
        match fate(span, Tier(file.tier), self.retention, known.holds.values(), now):
            case Move(tier):
                move(self.depot, file, tier)
                return True
            case End(why):
                return end(self.depot, file, why, self._note)
            case _:
                return False

    def _restore(self, now: float) -> None:
        self._restoring = self.restores.work(now)

    def _sweep(self, now: float) -> None:
        self._sweeper.segments(self.depot, now, self._awaited(now))
        self._sweeper.copies(self.depot)
        strange = self._sweeper.disk(self.depot, now)
        if strange != self._strange:
            self._strange = strange
            log.warning("audit.strange_files", files=strange[:10], count=len(strange))

    def _sweep_bucket(self, now: float) -> None:
        self._sweeper.buckets(self.depot, now)

    def look(self) -> None:
        """Brings `standing` up to date."""
        trouble = next((each.why for each in self._steps.values() if each.why is not None), None)
        try:
            known = self.depot.catalogue()
        except UpkeepError as error:
            known, trouble = Catalogue(), str(error)
        rest = waiting(known)
        self.standing = Standing(
            tiers=_tiers(known),
            waiting=Shelved(
                files=len(rest),
                records=sum(each.records for each in rest),
                octets=sum(each.octets for each in rest),
            ),
            oldest=_oldest(rest),
            broken=len(known.broken),
            restoring=self._restoring,
            failures={name: step.total for name, step in self._steps.items()},
            trouble=trouble,
        )


def _tiers(known: Catalogue) -> dict[str, Shelved]:
    found = {tier.value: [0, 0, 0] for tier in Tier}
    for file in known.files.values():
        sums = found[file.tier]
        sums[0] += 1
        sums[1] += file.written.records
        sums[2] += file.written.octets
    return {
        tier: Shelved(files=files, records=records, octets=octets)
        for tier, (files, records, octets) in found.items()
    }


def _oldest(rest: list[Sealed]) -> float | None:
    """Since when the oldest is sealed: a moment after its last record."""
    times = [each.last for each in rest if each.last]
    return datetime.fromisoformat(min(times)).timestamp() if times else None
