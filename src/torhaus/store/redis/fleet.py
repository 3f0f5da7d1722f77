"""The servers behind one name: one, the primary that sentinels name, or the nodes of a cluster."""

import asyncio
import ssl
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

from hiredis import ReplyError

from torhaus.model.redis import RedisSettings, Topology
from torhaus.store.redis.dial import Address, asked, dial
from torhaus.store.redis.line import Line
from torhaus.store.redis.scripts import ALL, Script
from torhaus.store.redis.sentinels import primary
from torhaus.store.redis.slots import SLOTS, slot
from torhaus.store.redis.wire import Unreachable, Wire, Word
from torhaus.store.tls import context

# What a server says that cannot answer although it is there.
_AWAY = ("LOADING", "MASTERDOWN", "CLUSTERDOWN", "TRYAGAIN", "NOREPLICAS", "BUSY", "OOM")
# What it says when it is not the one to ask.
_MOVED, _ASK, _READONLY = "MOVED ", "ASK ", "READONLY"
HOPS = 4
RELEARNED = 0.25
"""Seconds between two questions about which node has which slots."""

Opened = Callable[[Wire], Awaitable[None]]


class Fleet:
    """Owned by one event loop. Every key is asked of the server that has it.

    `opened` is awaited with each new connection to the home, the server of `home_key`; `lost` is
    called when that ends. `pushed` gets the messages of the channels subscribed there.
    """

    def __init__(
        self,
        settings: RedisSettings,
        home_key: bytes,
        opened: Opened,
        lost: Callable[[], None],
        pushed: Callable[[list[Any]], None],
    ) -> None:
        self.settings = settings
        self._secure: ssl.SSLContext | None = (
            None if settings.tls is None else context(settings.tls)
        )
        self._clustered = settings.topology is Topology.CLUSTER
        self._home_slot = slot(home_key)
        self._home_opened, self._home_lost, self._pushed = opened, lost, pushed
        self._lines: dict[Address, Line] = {}
        self._slots: list[Address | None] = []
        self._learning: asyncio.Task[None] | None = None
        self._learn_from = 0.0
        self._seed = 0
        self._home: Line = self._line(self._where_home, home=True)

    @property
    def up(self) -> bool:
        """Whether the home can be asked."""
        return self._home.wire is not None

    async def first(self, seconds: float) -> bool:
        """Wait for the first connection, so long at most. Whether there is one."""
        return await self._home.first(seconds)

    async def close(self) -> None:
        if self._learning is not None:
            self._learning.cancel()
        for line in (self._home, *self._lines.values()):
            await line.close()

    async def run(self, script: Script, keys: tuple[Word, ...], args: tuple[Word, ...]) -> Any:
        """One script, where its keys are (all in one slot). Raises Unreachable."""
        count = len(keys)
        try:
            return await self.ask(keys[0], "EVALSHA", script.digest, count, *keys, *args)
        except ReplyError as error:
            if not str(error).startswith("NOSCRIPT"):
                raise Unreachable(str(error)) from error
        try:
            return await self.ask(keys[0], "EVAL", script.text, count, *keys, *args)
        except ReplyError as error:
            raise Unreachable(str(error)) from error

    async def ask(self, key: Word, *command: Word) -> Any:
        """One question about one key. Raises Unreachable, ReplyError."""
        line = self._line_of(key)
        asking = False
        for _ in range(HOPS):
            wire = line.wire
            if wire is None:
                self._relearn()
                wire = line.ready()
            if asking:
                wire.tell("ASKING")
            try:
                return await wire.call(*command)
            except ReplyError as error:
                line, asking = self._elsewhere(line, str(error), error)
                if line.wire is None:
                    # In a task of its own: calls may run in none.
                    await asyncio.ensure_future(line.first(self.settings.connect_timeout))
        raise Unreachable("the cluster sends us from one node to the next")

    def wire(self) -> Wire | None:
        """The connection to ask over about any key; None where `ask` has to choose one."""
        return None if self._clustered else self._home.wire

    def tell(self, key: Word, *command: Word) -> None:
        """Say something without caring for the reply; nothing happens when nobody is there."""
        wire = self._line_of(key).wire
        if wire is not None:
            wire.tell(*command)

    def tell_home(self, *command: Word) -> None:
        wire = self._home.wire
        if wire is not None:
            wire.tell(*command)

    # -- which server ----------------------------------------------------------------------------

    def _line_of(self, key: Word) -> Line:
        if self.settings.topology is not Topology.CLUSTER:
            return self._home
        number = slot(_raw(key))
        if number == self._home_slot:
            return self._home
        if not self._slots:
            raise Unreachable("the cluster's nodes are not known yet")
        where = self._slots[number]
        if where is None:
            raise Unreachable("no node of the cluster has this slot")
        return self._line_to(where)

    def _line_to(self, where: Address) -> Line:
        line = self._lines.get(where)
        if line is None:
            line = self._lines[where] = self._line(partial(_known, where), home=False)
        return line

    def _line(self, find: Callable[[], Awaitable[Address]], *, home: bool) -> Line:
        async def lay(where: Address, ended: Callable[[Wire], None]) -> Wire:
            return await self._lay(where, ended)

        if home:
            return Line(find, lay, self._at_home, self._home_lost)
        return Line(find, lay, _load, _nothing)

    async def _lay(self, where: Address, ended: Callable[[Wire], None]) -> Wire:
        settings = self.settings
        pushed = self._pushed

        def make() -> Wire:
            return Wire(settings.timeout, ended, pushed)

        return await dial(where, settings.login, self._secure, make, settings.connect_timeout)

    async def _where_home(self) -> Address:
        settings = self.settings
        match settings.topology:
            case Topology.SINGLE:
                return settings.addresses[0]
            case Topology.SENTINEL:
                return await primary(settings, self._secure)
            case Topology.CLUSTER:
                await self._learn()
                where = self._slots[self._home_slot]
                if where is None:
                    raise Unreachable("no node of the cluster has our own slot")
                return where

    async def _at_home(self, wire: Wire) -> None:
        if self.settings.topology is Topology.SENTINEL:
            role = await asked(wire, "ROLE")
            if role[0] != b"master":
                raise Unreachable("the server is a replica")
        if self.settings.database and self.settings.topology is not Topology.CLUSTER:
            await asked(wire, "SELECT", str(self.settings.database))
        await _load(wire)
        await self._home_opened(wire)

    def _elsewhere(self, line: Line, said: str, error: ReplyError) -> tuple[Line, bool]:
        """Where to ask instead. Raises Unreachable, or the error where it is about the question."""
        if said.startswith((_MOVED, _ASK)):
            host, _, port = said.split(" ")[2].rpartition(":")
            if said.startswith(_MOVED):
                self._relearn()
                if line is self._home:
                    line.distrust()
            return self._line_to((host, int(port))), said.startswith(_ASK)
        if said.startswith(_READONLY):
            line.distrust()
            raise Unreachable(said) from error
        if said.startswith(_AWAY):
            raise Unreachable(said) from error
        raise error

    def _relearn(self) -> None:
        """A node of the cluster is gone, or another has its slots."""
        loop = asyncio.get_running_loop()
        if self.settings.topology is not Topology.CLUSTER or loop.time() < self._learn_from:
            return
        self._learn_from = loop.time() + RELEARNED
        if self._learning is None or self._learning.done():
            self._learning = loop.create_task(self._learn_quietly())

    async def _learn_quietly(self) -> None:
        try:
            await self._learn()
        except Unreachable:
            return  # the nodes we know of stay; the next reply that sends us on asks again

    async def _learn(self) -> None:
        """Ask any node that answers which has which slots."""
        known = [*self._lines, *self.settings.addresses]
        for turn in range(len(known)):
            self._seed += 1
            where = known[(self._seed + turn) % len(known)]
            try:
                wire = await self._lay(where, _nothing)
                try:
                    ranges = await asked(wire, "CLUSTER", "SLOTS")
                finally:
                    wire.close()
            except Unreachable:
                continue
            self._slots = _spread(ranges, where[0])
            gone = set(self._lines) - {each for each in self._slots if each is not None}
            for each in gone:
                await self._lines.pop(each).close()
            return
        raise Unreachable("no node of the cluster answers")


def _spread(ranges: list[list[Any]], asked_host: str) -> list[Address | None]:
    """Slot -> address of its primary. A node that does not know its own name is where we asked."""
    slots: list[Address | None] = [None] * SLOTS
    for begin, end, node, *_ in ranges:
        host = (node[0] or b"").decode() or asked_host
        for number in range(begin, end + 1):
            slots[number] = (host, node[1])
    return slots


def _raw(key: Word) -> bytes:
    return key if isinstance(key, bytes) else str(key).encode()


async def _known(where: Address) -> Address:
    return where


async def _load(wire: Wire) -> None:
    loading = [wire.call("SCRIPT", "LOAD", script.text) for script in ALL]
    try:
        await asyncio.gather(*loading)
    except ReplyError as error:
        raise Unreachable(f"it takes no scripts: {error}") from error


def _nothing(_wire: object = None) -> None:
    """Nothing to do."""
