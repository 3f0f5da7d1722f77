"""Who sees what happens: the ledger, the meter, and the caller's end of a stream."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from torhaus.model.approval import Approval, State, Wanted
from torhaus.model.call import Call
from torhaus.model.outcome import Outcome
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.record import INTENT, Record


class MemoryLedger:
    """Keeps records in lists. `hold()` delays durability until `release()`.

    `noted` and `durable` are of calls and acts that ended, `intents` of calls about to go.
    """

    def __init__(self) -> None:
        self.noted: list[Record] = []
        self.durable: list[Record] = []
        self.intents: list[Record] = []
        self.well = True
        self.refuses = False
        self._held: list[tuple[Record, asyncio.Future[None]]] | None = None

    def healthy(self) -> bool:
        return self.well

    def note(self, record: Record) -> Awaitable[None] | None:
        if self.refuses:
            raise LedgerError("the disk is gone")
        if record.phase == INTENT:
            self.intents.append(record)
        else:
            self.noted.append(record)
        if self._held is None:
            self._keep(record)
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
            self._keep(record)
            if not future.done():
                future.set_result(None)

    def lose(self) -> None:
        """What is held was never written."""
        held, self._held = self._held or [], None
        for _, future in held:
            if not future.done():
                future.set_exception(LedgerError("the disk is full"))

    def _keep(self, record: Record) -> None:
        if record.phase != INTENT:
            self.durable.append(record)

    def statuses(self) -> list[str]:
        return [record.result.status for record in self.noted]


class MemoryApprovals:
    """Requests for approval in a dict, with the promises of the port: one open request for one
    call and policy version, a denial that stands, one taker. `told`: every end, in order.
    """

    def __init__(self, expires: float = 900.0) -> None:
        self.all: dict[str, Approval] = {}
        self.told: list[tuple[str, str]] = []
        self.lost: StateError | None = None
        self._expires = expires
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    async def request(self, wanted: Wanted, now: float) -> Approval:
        self._answer()
        for each in self.all.values():
            standing = each.state in (State.PENDING, State.APPROVED, State.DENIED)
            if standing and each.expires > now and _same(each.wanted, wanted):
                return each
        made = Approval(
            id=f"apr_{len(self.all) + 1}",
            state=State.PENDING,
            wanted=wanted,
            created=now,
            expires=now + self._expires,
        )
        self.all[made.id] = made
        self.told.append((made.id, "requested"))
        return made

    async def take(self, id: str, wanted: Wanted, now: float) -> bool:
        self._answer()
        await asyncio.sleep(0)  # a database takes a while, and others come meanwhile
        found = self.all.get(id)
        right = found is not None and found.state is State.APPROVED and found.expires > now
        if found is None or not right or not _same(found.wanted, wanted):
            return False
        self._move(id, State.USED)
        return True

    async def wait(self, id: str, seconds: float) -> Approval | None:
        self._answer()
        found = self.all.get(id)
        if found is None or found.state is not State.PENDING or seconds <= 0:
            return found
        waker: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(id, set()).add(waker)
        try:
            async with asyncio.timeout(seconds):
                await waker
        except TimeoutError:
            pass
        finally:
            self._waiting[id].discard(waker)
        self._answer()
        return self.all[id]

    async def cancel(self, id: str, now: float) -> None:
        self._answer()
        if self.all[id].state in (State.PENDING, State.APPROVED):
            self._move(id, State.CANCELLED)

    def decide(self, id: str, state: State, by: str, comment: str = "") -> None:
        """As an administrator would, after all checks."""
        assert self.all[id].state is State.PENDING
        self.all[id] = msgspec.structs.replace(self.all[id], decided_by=by, comment=comment)
        self._move(id, state)

    def wake(self) -> None:
        """As at a failure: whoever waits looks again."""
        for wakers in self._waiting.values():
            for waker in wakers:
                if not waker.done():
                    waker.set_result(None)

    def waiting(self, id: str) -> int:
        return len(self._waiting.get(id, ()))

    def states(self) -> list[State]:
        return [each.state for each in self.all.values()]

    def _move(self, id: str, state: State) -> None:
        self.all[id] = msgspec.structs.replace(self.all[id], state=state)
        self.told.append((id, state.value))
        self.wake()

    def _answer(self) -> None:
        if self.lost is not None:
            raise self.lost


def _same(one: Wanted, other: Wanted) -> bool:
    return (one.digest, one.requester, one.policy_version) == (
        other.digest,
        other.requester,
        other.policy_version,
    )


@dataclass
class Counter:
    """A meter that remembers."""

    ends: list[tuple[str, str]] = field(default_factory=list)
    masked: list[tuple[str, dict[str, int]]] = field(default_factory=list)

    def ended(self, call: Call, outcome: Outcome, status: str, seconds: float) -> None:
        self.ends.append((call.operation, status))

    def redacted(self, server: str, counts: Mapping[str, int]) -> None:
        self.masked.append((server, dict(counts)))


@dataclass
class Window:
    """A `Front`: what a caller would see of a stream."""

    throttle: Callable[[bool], None] | None = None
    open: bool = False
    events: list[tuple[bytes, str | None, int | None]] = field(default_factory=list)
    tied: bool = False

    def opened(self) -> None:
        self.open = True

    def tie(self) -> None:
        self.tied = True

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        self.events.append((data, event_id, retry))

    def messages(self) -> list[Any]:
        return [json.loads(data) for data, _, _ in self.events if data]
