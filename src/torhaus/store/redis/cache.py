"""Answers that several gateways share, and those among them that are kept near."""

import asyncio
from collections import deque
from contextlib import suppress
from math import inf
from secrets import token_bytes

import msgspec
from hiredis import ReplyError

from torhaus.cache.matching import covers
from torhaus.model.caching import Selector
from torhaus.model.names import normal
from torhaus.model.ports import CacheStats, Entry, Listed, Miss, Stamp
from torhaus.model.redis import RedisSettings
from torhaus.model.servers import Era
from torhaus.store.memory import REMEMBERED, MemoryCache, listed
from torhaus.store.redis.drops import Drops
from torhaus.store.redis.fleet import Fleet
from torhaus.store.redis.presence import LEASE, Presence
from torhaus.store.redis.questions import Names, Question
from torhaus.store.redis.scripts import BUMP, DROP, FIND, KEEP
from torhaus.store.redis.wire import Unreachable

GENERATIONS = 32
"""Bytes of the two generations that every entry begins with."""
INDEXED = 5000
"""Answers of one tool that can be forgotten by their arguments; of more, all are."""
LONGEST_ARGUMENTS = 512
DROPPED_AT_ONCE = 500
"""Entries one script forgets: a longer one would hold up everybody."""
REPLAYED = 30.0
"""Seconds for which purges are remembered: a failover may lose the last ones."""
TOOLS = 4096
"""Tools whose questions are remembered: callers choose names."""
NEVER = -1
"""The turn of what must not come near."""
PAUSE = 0.2
SETTLING = 2 * LEASE
"""Seconds after a lost connection in which nothing old is believed."""

_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(Entry).decode
_indexed = msgspec.json.Decoder(tuple[str, str | None]).decode


class RedisCache:
    """A Cache in Redis with a MemoryCache in front of it.

    Fails soft: while the server is away nothing is known and nothing kept, and purges wait until
    no other gateway can answer from its memory any more. An entry names the generations of its
    server and its tool; a purge gives one of them another name, a purge by arguments also looks
    the entries up. What was fetched before a purge is not kept: its generations are from before.
    """

    def __init__(
        self,
        fleet: Fleet,
        settings: RedisSettings,
        presence: Presence,
        drops: Drops,
        near: MemoryCache,
    ) -> None:
        self._fleet = fleet
        self._presence = presence
        self._drops = drops
        self._near = near
        self._namespace = settings.namespace
        self._loop = asyncio.get_running_loop()
        self._recent: deque[tuple[float, Selector]] = deque()
        self._catching_up: asyncio.Task[None] | None = None
        self._untold = False
        self._believing_from = 0.0
        self._names = Names()
        self._questions: dict[str, Question] = {}
        self._hits = self._misses = self._dropped = self._refused = 0

    async def find(self, key: bytes, tag: str, now: float) -> Entry | Miss:
        turn = NEVER
        # Without a lease nobody tells us of purges: what we read then never comes near.
        if self._presence.holds():
            near = self._near
            if near.has(key):
                found = near.near(key, now)
                if not isinstance(found, Miss):
                    self._hits += 1
                    return found
            turn = near.turn
        entry, shared = await self._far(key, tag)
        stamp = Stamp(turn, shared)
        if entry is None or entry.expires + entry.stale <= now:
            self._misses += 1
            return Miss(stamp)
        self._keep_near(key, entry, tag, stamp)
        if now < entry.expires:
            self._hits += 1
            return entry
        self._misses += 1
        return Miss(stamp, entry)

    def at_hand(self, key: bytes, era: Era, now: float) -> Entry | None:
        found = self._near.at_hand(key, era, now) if self._presence.holds() else None
        if found is not None:
            self._hits += 1
        return found

    def elsewhere(self, key: bytes) -> bool:
        return self._fleet.up and not self._near.has(key)

    async def keep(self, key: bytes, entry: Entry, tag: str, stamp: Stamp) -> bool:
        if stamp.shared is None or self._presence.full:
            return False
        server, _, tool = tag.partition(".")
        lasts = max(1, int((entry.expires + entry.stale - entry.stored) * 1000))
        short = entry.arguments if len(entry.arguments) <= LONGEST_ARGUMENTS else b""
        index = msgspec.json.encode((short.decode(), entry.owner))
        keys = (self._generations(server), self._entry(server, key), self._index(server, tool))
        words = (tool, stamp.shared, _pack(entry), lasts, index, key, INDEXED)
        try:
            kept = await self._fleet.run(KEEP, keys, words)
        except Unreachable:
            return False
        if not kept:
            self._refused += 1
            return False
        self._keep_near(key, entry, tag, stamp)
        return True

    def _keep_near(self, key: bytes, entry: Entry, tag: str, stamp: Stamp) -> None:
        if stamp.turn != NEVER and self._presence.holds():
            self._near.keep_near(key, entry, tag, stamp)

    def fits(self, stamp: Stamp, tag: str) -> bool:
        return self._presence.holds() and self._near.fits(stamp, tag)

    async def purge(self, selector: Selector) -> int:
        self._near.purge_near(selector)
        self._remember(selector)
        count = 0
        try:
            count = await self._purge_far(selector)
        except Unreachable:
            self.catch_up()
        try:
            await self._drops.announce(selector)
        except Unreachable:
            # The others cannot be told now. Those who cannot be told of anything do not answer
            # for longer than their leases.
            self.catch_up()
            await self._drops.outlive()
        # What was read from the server meanwhile may have come near again.
        count = max(count, self._near.purge_near(selector))
        self._dropped += count
        return count

    async def listed(self, selector: Selector, most: int, now: float) -> list[Listed]:
        server = selector.tag.partition(".")[0]
        found: list[Listed] = []
        try:
            for tool in await self._tools(selector):
                found += await self._listed(selector, server, tool, now)
        except (Unreachable, ReplyError, msgspec.MsgspecError):
            return await self._near.listed(selector, most, now)
        found.sort(key=lambda each: each.stored, reverse=True)
        return found[:most]

    async def _listed(self, selector: Selector, server: str, tool: str, now: float) -> list[Listed]:
        names = [
            self._entry(server, key) for key in await self._meant(selector, server, tool) or ()
        ]
        raw = [await self._fleet.ask(name, "GET", name) for name in names]
        entries = [_unpack(each[GENERATIONS:]) for each in raw if each is not None]
        return [listed(f"{server}.{tool}", each) for each in entries if now < each.expires]

    def stats(self) -> CacheStats:
        """Entries and bytes are those kept near."""
        near = self._near.stats()
        return msgspec.structs.replace(
            near,
            hits=self._hits,
            misses=self._misses,
            dropped=self._dropped,
            refused=self._refused + near.refused,
        )

    # -- when the server comes and goes ----------------------------------------------------------

    def lost(self) -> None:
        """What is near may be untrue from now on, and so may be what the next server has."""
        self._near.clear()
        self._believing_from = inf

    def catch_up(self) -> None:
        """Say again what the server may not have heard; believe nothing old until it has."""
        self._believing_from = inf
        self._untold = True
        if self._catching_up is None or self._catching_up.done():
            self._catching_up = self._loop.create_task(self._catch_up())

    async def close(self) -> None:
        if self._catching_up is not None:
            self._catching_up.cancel()
            with suppress(asyncio.CancelledError):
                await self._catching_up

    async def _catch_up(self) -> None:
        while True:
            begun, self._untold = self._loop.time(), False
            try:
                for _, selector in list(self._recent):
                    await self._purge_far(selector)
                    await self._drops.announce(selector)
            except Unreachable:
                await asyncio.sleep(PAUSE)
                continue
            self._near.clear()
            if not self._untold:
                self._believing_from = begun + SETTLING
                return

    def _remember(self, selector: Selector) -> None:
        now = self._loop.time()
        recent = self._recent
        recent.append((now, selector))
        # While the server is away, it has not heard of any.
        while self._believing_from < inf and recent[0][0] < now - REPLAYED:
            recent.popleft()
        if len(recent) > REMEMBERED:
            servers = {one.tag.partition(".")[0] for _, one in recent}
            recent.clear()
            recent.extend((now, Selector(tag=server)) for server in servers)

    # -- on the server ---------------------------------------------------------------------------

    async def _far(self, key: bytes, tag: str) -> tuple[Entry | None, bytes | None]:
        """The entry there, and the generations as they are now."""
        question, name = self._questions.get(tag) or self._question(tag), self._names.fresh()
        wire = self._fleet.wire()
        try:
            if wire is None:
                raw, shared = await self._fleet.run(FIND, *question.words(key, name))
            else:
                try:
                    raw, shared = await wire.ask(question.packed(key, name))
                except ReplyError:  # whatever it complains of: there is one place that knows
                    raw, shared = await self._fleet.run(FIND, *question.words(key, name))
            if raw is None or self._loop.time() < self._believing_from:
                return None, shared
            return _unpack(raw[GENERATIONS:]), shared
        except (Unreachable, msgspec.MsgspecError):
            return None, None

    def _question(self, tag: str) -> Question:
        server, _, tool = tag.partition(".")
        if len(self._questions) >= TOOLS:
            self._questions.clear()
        made = Question(self._generations(server).encode(), self._entry(server, b""), tool)
        self._questions[tag] = made
        return made

    async def _purge_far(self, selector: Selector) -> int:
        server, dot, _ = selector.tag.partition(".")
        tools = await self._tools(selector)
        if not selector.where and selector.owner is None:
            fields = [f"{kind}:{tool}" for tool in tools for kind in "vr"] if dot else ["v", "r"]
            return await self._bump(server, fields, tools)
        # First what is being fetched, then what is kept: whatever is kept after this is new.
        await self._bump(server, [f"r:{tool}" for tool in tools], [])
        return sum([await self._purge_some(selector, server, tool) for tool in tools])

    async def _purge_some(self, selector: Selector, server: str, tool: str) -> int:
        meant = await self._meant(selector, server, tool)
        if meant is None:
            return await self._bump(server, [f"v:{tool}"], [tool])
        if not meant:
            return 0
        index = self._index(server, tool)
        count = 0
        for begin in range(0, len(meant), DROPPED_AT_ONCE):
            some = meant[begin : begin + DROPPED_AT_ONCE]
            entries = [self._entry(server, key) for key in some]
            count += int(await self._fleet.run(DROP, (index, *entries), tuple(some)))
        return count

    async def _bump(self, server: str, fields: list[str], tools: list[str]) -> int:
        """Give generations new names, and forget the tools' indexes."""
        if not fields:
            return 0
        keys = (self._generations(server), *(self._index(server, tool) for tool in tools))
        return int(await self._fleet.run(BUMP, keys, (token_bytes(16), *fields)))

    async def _tools(self, selector: Selector) -> list[str]:
        """The tools it means that anybody has asked for, in every spelling."""
        server, dot, wanted = selector.tag.partition(".")
        key = self._generations(server)
        try:
            fields = await self._fleet.ask(key, "HKEYS", key)
        except ReplyError as error:
            raise Unreachable(str(error)) from error
        tools = [field[2:].decode() for field in fields if field.startswith(b"v:")]
        return [tool for tool in tools if not dot or normal(tool) == normal(wanted)]

    async def _meant(self, selector: Selector, server: str, tool: str) -> list[bytes] | None:
        """Keys of the entries it means; None when that cannot be told."""
        index = self._index(server, tool)
        try:
            known = await self._fleet.ask(index, "HGETALL", index)
        except ReplyError as error:
            raise Unreachable(str(error)) from error
        if b"" in known:
            return None
        tag = f"{server}.{tool}"
        return [key for key, said in known.items() if _covers(selector, tag, said)]

    # One slot of a cluster for each server behind the gate: a script touches only one.

    def _generations(self, server: str) -> str:
        return f"{{{self._namespace}:{server}}}:g"

    def _index(self, server: str, tool: str) -> str:
        return f"{{{self._namespace}:{server}}}:i:{tool}"

    def _entry(self, server: str, key: bytes) -> bytes:
        return f"{{{self._namespace}:{server}}}:e:".encode() + key


def _covers(selector: Selector, tag: str, said: bytes) -> bool:
    try:
        arguments, owner = _indexed(said)
    except msgspec.MsgspecError:
        return True
    return covers(selector, tag, arguments.encode(), owner)
