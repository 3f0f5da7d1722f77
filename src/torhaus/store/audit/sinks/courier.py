"""Brings the records of one sink there, in order, for as long as it takes."""

import random
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
import structlog

from torhaus.model.shipping import (
    AuditSink,
    DeliveryError,
    Parcel,
    PartlyError,
    RefusedError,
    SinkSettings,
    SinkState,
)
from torhaus.store.audit.sinks.aside import Aside
from torhaus.store.audit.sinks.missed import Missed
from torhaus.store.audit.sinks.positions import DamagedBookError, Place, Positions, shelf
from torhaus.store.audit.sinks.tail import Load, Tail

log = structlog.get_logger()

LOOK = 0.2
"""Seconds between looks for new records."""

FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds after the first failure, and after many; doubled each time, and shortened by chance."""

LONGEST_ASKED = 900.0
"""No receiver can send us away for longer."""

COUNTING = 2.0
"""Seconds between two countings of what is behind."""


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """How long a courier waits. `chance`: between 0 and 1."""

    look: float = LOOK
    first: float = FIRST_WAIT
    longest: float = LONGEST_WAIT
    chance: Callable[[], float] = random.random  # noqa: S311 -- spreads retries, no secret

    def wait(self, failures: int, asked: float | None) -> float:
        """Seconds after so many failures in a row."""
        if asked is not None:
            return min(max(asked, self.first), LONGEST_ASKED)
        whole = min(self.longest, self.first * 2.0 ** min(failures - 1, 20))
        return whole * (0.5 + self.chance() / 2)


class _StoppedError(Exception):
    """The house closes, and the receiver does not take what is left."""


class Courier:
    """Runs in a thread of its own; `state` may be asked from any.

    Whatever it has brought is remembered on disk before it reads on, so a crash at any point
    makes it bring the last batch again, and never leave one out.
    """

    def __init__(
        self,
        audit: Path,
        settings: SinkSettings,
        make: Callable[[SinkSettings], AuditSink],
        pace: Pace | None = None,
    ) -> None:
        self._audit = audit
        self._settings = settings
        self._make = make
        self._pace = Pace() if pace is None else pace
        self._positions = Positions(audit, settings.name)
        self._aside = Aside(shelf(audit), settings.name)
        self._sink: AuditSink | None = None
        self._tail: Tail | None = None
        self._leaving = threading.Event()
        self._failures = 0
        self._failed = 0
        self._behind = 0
        self._counted = 0.0
        self._oldest = ""
        self._word = "starting"

    def state(self) -> SinkState:
        book = self._positions.book
        return SinkState(
            name=self._settings.name,
            state=self._word,
            error=book.error,
            failed_at=book.failed_at,
            delivered=book.delivered,
            failed=self._failed,
            refused=book.refused,
            behind=self._behind,
            oldest=self._oldest,
        )

    def leave(self) -> None:
        """Bring what is there, and end. Any thread may call it."""
        self._leaving.set()

    def run(self) -> None:
        """Until told to leave. Never raises: whatever happens is logged and tried again."""
        try:
            if self._hold():
                self._work()
        except _StoppedError:
            pass
        finally:
            self._put_sink_away()
            self._positions.release()
            self._word = "stopped"

    def _hold(self) -> bool:
        """Wait until no other process has this sink. False when told to leave before."""
        while not self._leaving.is_set():
            try:
                if self._positions.take():
                    return True
                self._word = "elsewhere"
            except (OSError, DamagedBookError) as error:
                self._fail(str(error))
            self._leaving.wait(self._pace.first)
        return False

    def _work(self) -> None:
        self._word = "idle"
        book = self._positions.book
        self._tail = tail = Tail(self._audit / "hot", book)
        missed = Missed(self._audit, self._settings.name, book)
        while True:
            leaving = self._leaving.is_set()
            try:
                load = missed.next(self._present(tail), self._settings.batch)
                load = load or tail.next(self._settings.batch, final=leaving)
                if load is None:
                    self._rest()
                else:
                    self._bring(load)
            except OSError as error:  # of our own disk
                self._fail(f"{error.strerror}: {error.filename}")
                self._wait(None)
                continue
            if load is None:
                if leaving:
                    return
                self._leaving.wait(self._pace.look)

    def _rest(self) -> None:
        self._word = "idle" if not self._failures else self._word
        self._behind, self._oldest = 0, ""

    def _present(self, tail: Tail) -> set[str]:
        """Segments that are there; each is remembered, in case it is removed before its turn."""
        found = tail.present()
        book = self._positions.book
        known = book.segments.keys()
        if known != found:
            tail.forget([*(known - found)])
            for name in found - known:
                book.segments[name] = Place()
            self._positions.save()
        return found

    def _bring(self, load: Load) -> None:
        """Deliver it all, or set it aside; then remember."""
        self._word = "delivering" if not self._failures else "failing"
        self._note(load)
        book = self._positions.book
        refused = book.refused
        self._deliver(load.parcels)
        book.delivered += len(load.parcels) - (book.refused - refused)
        for number, line in load.damaged:
            log.warning("audit.sink_line_damaged", segment=load.source, line=number)
            self._set_aside(load.source, number, line, "the line is damaged: it is no record")
        load.keep(book)
        self._positions.save()

    def _note(self, load: Load) -> None:
        if load.parcels:
            self._oldest = load.parcels[0].record.timestamp
        self._count()

    def _count(self) -> None:
        now = time.monotonic()
        if self._tail is not None and now - self._counted >= COUNTING:
            self._counted = now
            self._behind = self._tail.behind()

    def _deliver(self, parcels: Sequence[Parcel]) -> None:
        """In order. A batch that is refused for what is in it is halved, down to the one."""
        parts = deque([parcels] if parcels else [])
        while parts:
            part = parts.popleft()
            try:
                self._attempt(part)
            except PartlyError as partly:
                for place, why in partly.refused.items():
                    self._refuse(part[place], why)
                if partly.again:
                    parts.appendleft([part[place] for place in partly.again])
                    self._fail("it is busy, and took a part only")
                    self._wait(partly.wait)
            except RefusedError as refused:
                if len(part) == 1:
                    self._refuse(part[0], str(refused))
                else:
                    half = len(part) // 2
                    parts.extendleft([part[half:], part[:half]])
            except DeliveryError as error:
                parts.appendleft(part)
                self._fail(str(error))
                self._wait(error.wait)
            else:
                self._succeed()

    def _attempt(self, part: Sequence[Parcel]) -> None:
        try:
            if self._sink is None:
                self._sink = self._make(self._settings)
            self._sink.deliver(part)
        except (PartlyError, RefusedError, DeliveryError):
            raise
        except Exception as error:
            # A plug-in's mistake, or ours: the audit log waits, the gateway goes on.
            log.exception("audit.sink_broke", sink=self._settings.name)
            self._put_sink_away()
            raise DeliveryError(f"the sink itself failed: {type(error).__name__}") from error

    def _refuse(self, parcel: Parcel, why: str) -> None:
        # Not why: receivers repeat what was in the record, and that is not for the log.
        log.warning("audit.sink_refused", sink=self._settings.name, record=parcel.id)
        self._set_aside(parcel.source, parcel.number, parcel.line, why)

    def _set_aside(self, source: str, number: int, line: bytes, why: str) -> None:
        self._aside.put(source, number, line, why)
        self._positions.book.refused += 1

    def _succeed(self) -> None:
        if self._failures:
            log.info("audit.sink_recovered", sink=self._settings.name, failures=self._failures)
        self._failures = 0
        self._positions.book.error = ""
        self._word = "delivering"

    def _fail(self, why: str) -> None:
        self._failures += 1
        self._failed += 1
        self._word = "failing"
        book = self._positions.book
        if self._failures == 1 or why != book.error:
            log.warning("audit.sink_failed", sink=self._settings.name, error=why)
        book.error, book.failed_at = why, time.time()
        try:
            if self._tail is not None:  # the sink is ours: tell those in other processes
                self._count()
                self._positions.save()
        except OSError as error:
            log.warning("audit.sink_not_saved", sink=self._settings.name, error=str(error))

    def _wait(self, asked: float | None) -> None:
        """Before the next try. Raises _StoppedError when told to leave: one try was the last."""
        if self._leaving.is_set():
            raise _StoppedError
        self._leaving.wait(self._pace.wait(self._failures, asked))

    def _put_sink_away(self) -> None:
        sink, self._sink = self._sink, None
        if sink is not None:
            sink.close()
