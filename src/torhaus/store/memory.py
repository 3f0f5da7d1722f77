"""Cache and counters in this process: the default, and what tests run on."""

from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec

from torhaus.limits.window import Uses, forget, wait
from torhaus.model.ports import Charge, Entry, Shortage
from torhaus.model.servers import Window

# What an entry costs beside its texts: two dicts' slots, the structs and the objects' heads.
ENTRY_OVERHEAD = 600


class CacheStats(msgspec.Struct, frozen=True):
    """`bytes` is what is counted against the limit; `evicted`: dropped early for room."""

    entries: int
    bytes: int
    evicted: int


class _Kept(msgspec.Struct, frozen=True):
    entry: Entry
    tag: str
    size: int


class MemoryCache:
    """A Cache bounded in bytes: past the limit, what was used longest ago goes first."""

    def __init__(self, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._tagged: dict[str, dict[str, set[bytes]]] = {}  # server -> tag -> keys
        self._bytes = 0
        self._evicted = 0

    async def get(self, key: bytes, now: float) -> Entry | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.entry.expires <= now:
            self._forget(key)
            return None
        self._kept.move_to_end(key)
        return kept.entry

    async def put(self, key: bytes, entry: Entry, tag: str) -> None:
        if key in self._kept:
            self._forget(key)
        size = len(key) + len(entry.result) + len(tag) + ENTRY_OVERHEAD
        if size > self._max_bytes:
            return
        while self._bytes + size > self._max_bytes:
            self._forget(next(iter(self._kept)))
            self._evicted += 1
        self._kept[key] = _Kept(entry, tag, size)
        self._bytes += size
        self._tagged.setdefault(_server(tag), {}).setdefault(tag, set()).add(key)

    async def drop(self, tag: str) -> int:
        tags = self._tagged.get(_server(tag), {})
        keys = list(tags.get(tag, ()))
        if "." not in tag:
            keys = [key for tagged in tags.values() for key in tagged]
        for key in keys:
            self._forget(key)
        return len(keys)

    def stats(self) -> CacheStats:
        return CacheStats(len(self._kept), self._bytes, self._evicted)

    def _forget(self, key: bytes) -> None:
        kept = self._kept.pop(key)
        self._bytes -= kept.size
        tags = self._tagged[_server(kept.tag)]
        keys = tags[kept.tag]
        keys.discard(key)
        if not keys:
            del tags[kept.tag]
        if not tags:
            del self._tagged[_server(kept.tag)]


def _server(tag: str) -> str:
    return tag.partition(".")[0]


@dataclass(slots=True)
class _Log:
    window: Window
    uses: Uses = field(default_factory=deque)


class MemoryCounters:
    """Counters with one exact log of uses for each window that is in use."""

    def __init__(self) -> None:
        self._logs: OrderedDict[str, _Log] = OrderedDict()

    async def spend(self, charges: Sequence[Charge], now: float) -> Shortage | None:
        worst: Shortage | None = None
        taken: dict[str, int] = {}
        for charge in charges:
            more = taken.get(charge.key, 0)
            taken[charge.key] = more + 1
            seconds = self._wait(charge, now, more)
            if seconds > 0.0 and (worst is None or seconds > worst.retry_after):
                worst = Shortage(charge, seconds)
        if worst is None:
            for charge in charges:
                self._use(charge, now)
        return worst

    def _use(self, charge: Charge, now: float) -> None:
        log = self._logs.get(charge.key)
        if log is None:
            self._sweep(now)
            log = self._logs[charge.key] = _Log(charge.window)
        log.uses.append(now)

    def windows(self) -> int:
        """How many windows are remembered."""
        return len(self._logs)

    def _wait(self, charge: Charge, now: float, more: int) -> float:
        log = self._logs.get(charge.key)
        if log is None:
            return wait(deque(), charge.window, now, more)
        log.window = charge.window  # a reload may have changed it
        forget(log.uses, log.window, now)
        return wait(log.uses, log.window, now, more)

    def _sweep(self, now: float) -> None:
        """Look at two windows for each one that is added, so that idle ones make room in time."""
        for _ in range(min(2, len(self._logs))):
            key, log = self._logs.popitem(last=False)
            forget(log.uses, log.window, now)
            if log.uses:
                self._logs[key] = log
