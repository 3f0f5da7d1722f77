"""Budgets that several gateways share."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from hashlib import blake2b
from math import ceil

import msgspec
from hiredis import ReplyError

from torhaus.limits.states import AnyState, PaceState, QuotaState, SeatState, SlotState, WindowState
from torhaus.limits.words import UNCOUNTED
from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.ports import Charge, Remaining, Shortage
from torhaus.model.redis import OnUnavailable, RedisSettings
from torhaus.model.servers import Window
from torhaus.store.counters import MemoryCounters
from torhaus.store.redis.fleet import Fleet
from torhaus.store.redis.scripts import LOOK, RESTORE, SPEND
from torhaus.store.redis.shares import part
from torhaus.store.redis.wire import Unreachable, Wire, Word

MICRO = 1_000_000
LONGEST_KEY = 300
CHUNK = 500
RELEASED = 1000
"""Ended calls that a server is told of again after a lost connection."""
AGAIN = 1.0
"""Seconds after which to try again, when nobody knows."""


class RedisCounters:
    """Counters in Redis, by the server's clock.

    Every use that this gateway was allowed is remembered here too. While the server is away, the
    gateway goes on within its share, its own uses counted; once there is a server again, it is
    told of them: what a failover lost is made good. `gateways`: how many share the budgets.
    """

    def __init__(self, fleet: Fleet, settings: RedisSettings, gateways: Callable[[], int]) -> None:
        self._fleet = fleet
        self._settings = settings
        self._gateways = gateways
        self._own = MemoryCounters()
        self._owed: dict[bytes, tuple[int, float]] = {}  # parts of quotas that were used alone
        self._released: deque[tuple[bytes, str]] = deque(maxlen=RELEASED)
        self._ahead = 0.0  # the server's clock less ours
        self._home = f"{{{settings.namespace}}}:l:".encode()
        self.alone = 0
        """Decisions made without the server."""

    async def spend(
        self, charges: Sequence[Charge], now: float, lease: str = ""
    ) -> Shortage | None:
        if not charges:
            return None
        if not self._fleet.up:
            return self._spend_alone(charges, now, lease)
        drawn = charges if len(charges) == 1 else _folded(charges)
        words: list[Word] = [lease]
        for charge in drawn:
            words += _words(charge.budget, charge.amount)
        try:
            keys = tuple(map(self._key, drawn))
            short, value = await self._fleet.run(SPEND, keys, tuple(words))
        except Unreachable:
            return self._spend_alone(charges, now, lease)
        seconds = int(value) / MICRO
        if short:
            return Shortage(drawn[short - 1], seconds)
        self._ahead = seconds - now
        self._own.note(charges, seconds, lease)
        return None

    def release(self, charges: Sequence[Charge], lease: str) -> None:
        self._own.release(charges, lease)
        for charge in charges:
            if isinstance(charge.budget, Slots):
                key = self._key(charge)
                self._released.append((key, lease))
                self._fleet.tell_home("ZREM", key, lease)

    async def remaining(self, charges: Sequence[Charge], now: float) -> list[Remaining]:
        if not charges:
            return []
        keys = tuple(map(self._key, charges))
        words = [word for charge in charges for word in _words(charge.budget, charge.amount)]
        try:
            found = await self._fleet.run(LOOK, keys, tuple(words))
        except Unreachable:
            parts = [self._part(charge) for charge in charges]
            alone = await self._own.remaining(parts, now + self._ahead)
            return [
                Remaining(charge, one.left, one.reset)
                for charge, one in zip(charges, alone, strict=True)
            ]
        return [
            Remaining(charge, int(left), int(reset) / MICRO)
            for charge, (left, reset) in zip(charges, found, strict=True)
        ]

    async def restore(self, wire: Wire) -> None:
        """Tell a server what it may not know. Raises Unreachable."""
        commands = [*self._known()]
        owed, self._owed = self._owed, {}
        commands += [(key, "q", amount, int(ends * 1000)) for key, (amount, ends) in owed.items()]
        try:
            for key, lease in list(self._released):  # what it was told last, it may have missed
                await wire.call("ZREM", key, lease)
            for begin in range(0, len(commands), CHUNK):
                asked = [
                    wire.call("EVALSHA", RESTORE.digest, 1, *command)
                    for command in commands[begin : begin + CHUNK]
                ]
                for answer in asked:
                    await answer
        except ReplyError as error:
            raise Unreachable(str(error)) from error

    def _known(self) -> Iterator[tuple[Word, ...]]:
        for key, state in self._own.held():
            words = _held(state)
            if words:
                yield (self._key(Charge(key, state.budget, "")), *words)

    def _spend_alone(self, charges: Sequence[Charge], now: float, lease: str) -> Shortage | None:
        self.alone += 1
        if self._settings.on_unavailable is OnUnavailable.DENY:
            return Shortage(msgspec.structs.replace(charges[0], limit=UNCOUNTED), AGAIN)
        parts = [self._part(charge) for charge in charges]
        shortage = self._own.take(parts, now + self._ahead, lease)
        if shortage is not None:
            return shortage
        for charge in charges:
            if isinstance(charge.budget, Quota):
                key = self._key(charge)
                before = self._owed.get(key, (0, 0.0))[0]
                self._owed[key] = (before + charge.amount, charge.budget.ends)
        return None

    def _part(self, charge: Charge) -> Charge:
        gateways = self._settings.gateways or self._gateways()
        return msgspec.structs.replace(charge, budget=part(charge.budget, gateways))

    def _key(self, charge: Charge) -> bytes:
        key = charge.key
        if isinstance(charge.budget, Quota | Seats):
            key = f"{charge.budget.period}\n{key}"
        raw = key.encode("utf-8", "surrogatepass")
        if len(raw) > LONGEST_KEY:
            raw = b"#" + blake2b(raw, digest_size=32).digest()
        return self._home + raw


def _words(budget: Budget, amount: int) -> tuple[Word, ...]:
    """What the scripts take for it; see SPEND."""
    match budget:
        case Window(requests, seconds):
            return "w", requests, int(seconds * MICRO), amount
        case Pace(requests, seconds, burst):
            if requests <= 0 or burst <= 0:
                return "p", MICRO, 0, int(seconds * MICRO)
            # Rounded up: a rounding must never add a call.
            return "p", ceil(seconds * MICRO / requests), burst, 0
        case Slots(calls, lease):
            return "s", calls, int(lease * MICRO), 0
        case Quota(whole, _, ends):
            return "q", whole, amount, int(ends * 1000)
        case Seats(users, who, _, ends):
            return "u", users, who, int(ends * 1000)


def _folded(charges: Sequence[Charge]) -> list[Charge]:
    """Charges with the same key as one: a script looks at each key once."""
    by_key: dict[str, Charge] = {}
    for charge in charges:
        before = by_key.get(charge.key)
        if before is not None and isinstance(charge.budget, Window | Quota):
            charge = msgspec.structs.replace(charge, amount=before.amount + charge.amount)
        by_key[charge.key] = charge
    return list(by_key.values())


def _held(state: AnyState) -> tuple[Word, ...]:
    """What a gateway knows of one budget; see RESTORE. Quotas are told of apart."""
    match state:
        case WindowState(budget=budget, uses=uses) if uses:
            times = [round(use * MICRO) for use in uses]
            return "w", budget.requests, int(budget.seconds * MICRO), *times
        case PaceState(ahead=ahead) if ahead > 0:
            return "p", round(ahead * MICRO)
        case SlotState(leases=leases) if leases:
            pairs = [(round(end * MICRO), lease) for lease, end in leases.items()]
            return "s", *(word for pair in pairs for word in pair)
        case SeatState(budget=budget, taken=taken) if taken:
            return "u", int(budget.ends * 1000), *sorted(taken)
        case QuotaState() | WindowState() | PaceState() | SlotState() | SeatState():
            return ()
