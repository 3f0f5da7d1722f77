"""The cache in this process: the default, and the near part of a shared one."""

from collections import OrderedDict, deque

import msgspec

from torhaus.cache.matching import covers, under
from torhaus.model.caching import Selector
from torhaus.model.ports import CacheStats, Entry, Listed, Miss, Stamp
from torhaus.model.servers import Era

# What an entry costs beside its texts: two dicts' slots, the structs and the objects' heads.
ENTRY_OVERHEAD = 700
REMEMBERED = 1024
"""Selectors that answers under way are compared with; one from before the oldest is not kept."""


class _Kept(msgspec.Struct, frozen=True):
    entry: Entry
    tag: str
    size: int


class MemoryCache:
    """A Cache bounded in bytes: past the limit, what was used longest ago goes first.

    Every purge is a turn. An answer is kept only if no turn since its call began means it.
    """

    def __init__(self, max_bytes: int = 64 * 1024 * 1024) -> None:
        self._max_bytes = max_bytes
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._tagged: dict[str, dict[str, set[bytes]]] = {}  # server -> tag -> keys
        self._turn = 0
        self._purged: deque[Selector] = deque(maxlen=REMEMBERED)  # one for each turn
        self._bytes = self._evicted = self._dropped = self._refused = 0
        self._hits = self._misses = 0

    async def find(self, key: bytes, tag: str, now: float) -> Entry | Miss:  # noqa: ARG002 -- the port's
        kept = self._kept.get(key)
        if kept is not None and now < kept.entry.expires:  # `near`, without the call
            self._hits += 1
            self._kept.move_to_end(key)
            return kept.entry
        return self.near(key, now)

    def at_hand(self, key: bytes, era: Era, now: float) -> Entry | None:
        kept = self._kept.get(key)
        if kept is None or now >= kept.entry.expires or kept.entry.era is not era:
            return None
        self._hits += 1
        self._kept.move_to_end(key)
        return kept.entry

    def elsewhere(self, key: bytes) -> bool:  # noqa: ARG002 -- the port's
        return False

    @property
    def turn(self) -> int:
        """The one that it is now."""
        return self._turn

    def has(self, key: bytes) -> bool:
        """Whether anything is kept here under this key, be it as old as it may."""
        return key in self._kept

    def near(self, key: bytes, now: float) -> Entry | Miss:
        """`find` for those who need not wait."""
        kept = self._kept.get(key)
        if kept is None:
            self._misses += 1
            return Miss(Stamp(self._turn))
        entry = kept.entry
        if now < entry.expires:
            self._hits += 1
            self._kept.move_to_end(key)
            return entry
        self._misses += 1
        if now < entry.expires + entry.stale:
            return Miss(Stamp(self._turn), entry)
        self._forget(key)
        return Miss(Stamp(self._turn))

    async def keep(self, key: bytes, entry: Entry, tag: str, stamp: Stamp) -> bool:
        return self.keep_near(key, entry, tag, stamp)

    def keep_near(self, key: bytes, entry: Entry, tag: str, stamp: Stamp) -> bool:
        if stamp.turn != self._turn and self._untrue(entry, tag, stamp.turn):
            self._refused += 1
            return False
        if key in self._kept:
            self._forget(key)
        size = ENTRY_OVERHEAD + len(key) + len(entry.result) + len(entry.arguments) + len(tag)
        if size > self._max_bytes:
            return False
        while self._bytes + size > self._max_bytes:
            self._forget(next(iter(self._kept)))
            self._evicted += 1
        self._kept[key] = _Kept(entry, tag, size)
        self._bytes += size
        self._tagged.setdefault(_server(tag), {}).setdefault(tag, set()).add(key)
        return True

    def stamp(self, shared: bytes | None = None) -> Stamp:
        """Where it stands now; `shared`: where a cache behind it does."""
        return Stamp(self._turn, shared)

    def fits(self, stamp: Stamp, tag: str) -> bool:
        turn = stamp.turn
        if turn == self._turn:
            return True
        return not self._lost(turn) and not any(under(one.tag, tag) for one in self._since(turn))

    async def purge(self, selector: Selector) -> int:
        return self.purge_near(selector)

    def purge_near(self, selector: Selector) -> int:
        self._turn += 1
        self._purged.append(selector)
        keys = self._meant(selector)
        for key in keys:
            self._forget(key)
        self._dropped += len(keys)
        return len(keys)

    def clear(self) -> None:
        """Forget everything, and whatever is being fetched."""
        for server in list(self._tagged):
            self.purge_near(Selector(tag=server))
        self._turn += REMEMBERED + 1  # so that no older stamp is ever good
        self._purged.clear()

    async def listed(self, selector: Selector, most: int, now: float) -> list[Listed]:
        found = [self._kept[key] for key in self._meant(selector)]
        fresh = [kept for kept in found if now < kept.entry.expires]
        fresh.sort(key=lambda kept: kept.entry.stored, reverse=True)
        return [listed(kept.tag, kept.entry) for kept in fresh[:most]]

    def stats(self) -> CacheStats:
        return CacheStats(
            entries=len(self._kept),
            bytes=self._bytes,
            evicted=self._evicted,
            hits=self._hits,
            misses=self._misses,
            dropped=self._dropped,
            refused=self._refused,
        )

    def _meant(self, selector: Selector) -> list[bytes]:
        tags = self._tagged.get(_server(selector.tag), {})
        keys = [key for tag in tags if under(selector.tag, tag) for key in tags[tag]]
        if not selector.where and selector.owner is None:
            return keys
        return [key for key in keys if _covers(selector, self._kept[key])]

    def _untrue(self, entry: Entry, tag: str, turn: int) -> bool:
        if self._lost(turn):
            return True
        return any(covers(one, tag, entry.arguments, entry.owner) for one in self._since(turn))

    def _lost(self, turn: int) -> bool:
        """Whether some turn since is not remembered."""
        return self._turn - turn > len(self._purged)

    def _since(self, turn: int) -> list[Selector]:
        recent = self._turn - turn
        return list(self._purged)[-recent:]

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


def listed(tag: str, entry: Entry) -> Listed:
    return Listed(tag, entry.arguments, entry.owner, len(entry.result), entry.stored, entry.expires)


def _covers(selector: Selector, kept: _Kept) -> bool:
    return covers(selector, kept.tag, kept.entry.arguments, kept.entry.owner)


def _server(tag: str) -> str:
    return tag.partition(".")[0]
