"""Who sees what happens: the ledger, the meter, and the caller's end of a stream."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from torhaus.model.call import Call
from torhaus.model.outcome import Outcome
from torhaus.model.ports import LedgerError
from torhaus.model.record import Record


class MemoryLedger:
    """Keeps records in a list. `hold()` delays durability until `release()`."""

    def __init__(self) -> None:
        self.noted: list[Record] = []
        self.durable: list[Record] = []
        self.well = True
        self.refuses = False
        self._held: list[tuple[Record, asyncio.Future[None]]] | None = None

    def healthy(self) -> bool:
        return self.well

    def note(self, record: Record) -> Awaitable[None] | None:
        if self.refuses:
            raise LedgerError("the disk is gone")
        self.noted.append(record)
        if self._held is None:
            self.durable.append(record)
            return None
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._held.append((record, future))
        return future

    def hold(self) -> None:
        self._held = []

    def waiting(self) -> int:
        return len(self._held or ())

    def release(self) -> None:
        held, self._held = self._held or [], None
        for record, future in held:
            self.durable.append(record)
            if not future.done():
                future.set_result(None)

    def lose(self) -> None:
        """What is held was never written."""
        held, self._held = self._held or [], None
        for _, future in held:
            if not future.done():
                future.set_exception(LedgerError("the disk is full"))

    def statuses(self) -> list[str]:
        return [record.result.status for record in self.noted]


@dataclass
class Counter:
    """A meter that remembers."""

    ends: list[tuple[str, str]] = field(default_factory=list)

    def ended(self, call: Call, outcome: Outcome, status: str, seconds: float) -> None:
        self.ends.append((call.operation, status))


@dataclass
class Window:
    """A `Front`: what a caller would see of a stream."""

    throttle: Callable[[bool], None] | None = None
    open: bool = False
    events: list[tuple[bytes, str | None, int | None]] = field(default_factory=list)

    def opened(self) -> None:
        self.open = True

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        self.events.append((data, event_id, retry))

    def messages(self) -> list[Any]:
        return [json.loads(data) for data, _, _ in self.events if data]
