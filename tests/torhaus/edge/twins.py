"""Two houses that are asked the same: one recognises what comes again, the other reads it all."""

import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import fields
from typing import Any

import msgspec

from tests.torhaus.cast import World, github
from tests.torhaus.edge.doors import House, open_house, polite
from tests.torhaus.edge.lanes import Answer
from tests.torhaus.scripted import text
from torhaus.gate.recall import Asked, Recall
from torhaus.gate.repeats import Repeat, Repeats
from torhaus.model.caching import CacheRule, Caching, Selector
from torhaus.model.outcome import Answer as Answered
from torhaus.model.ports import Ask, Cache, Entry, Miss, Sink

_encode = msgspec.json.Encoder().encode


class Watched(Recall):
    """Counts the calls that were answered without being read."""

    taken = 0

    def answer(self, known: Repeat, trace: str, now: float) -> Any:
        ended = super().answer(known, trace, now)
        self.taken += ended is not None and not isinstance(ended, Asked)
        return ended

    def answered(self, asked: Asked, found: Entry | Miss) -> Any:
        ended = super().answered(asked, found)
        self.taken += ended is not None
        return ended


def watched(world: World, most: int) -> Watched:
    gate = world.gate
    made = Watched(**{each.name: getattr(gate.recall, each.name) for each in fields(gate.recall)})
    made.repeats = Repeats(most)
    gate.recall = made
    return made


def answering_from(world: World, cache: Cache) -> None:
    gate = world.gate
    gate.cache = gate.fetching.cache = gate.recall.cache = cache


async def counting(ask: Ask, sink: Sink) -> Answered:
    """Says what it was asked."""
    if ask.method != "tools/call":
        return await polite(ask, sink)
    arguments = msgspec.json.decode(ask.params).get("arguments")
    return text(f"{ask.name} {json.dumps(arguments)}")


class Twins:
    """`houses`: first the one that recognises. What is done to one is done to the other."""

    def __init__(self, houses: list[House], recalls: list[Watched]) -> None:
        self.houses = houses
        self._recalls = recalls
        self._callers: dict[tuple[int, str], Any] = {}

    @property
    def taken(self) -> int:
        """How many calls were recognised."""
        assert self._recalls[1].taken == 0
        return self._recalls[0].taken

    async def ask(
        self, body: bytes, by: str = "alice", headers: dict[str, str] | None = None
    ) -> Answer:
        """The answer, which is the same from both, like everything that is left behind."""
        answers = []
        for number, house in enumerate(self.houses):
            caller = self._callers.get((number, by))
            if caller is None:
                caller = await house.connect(f"{by}-key")
                self._callers[number, by] = caller
                if headers is None:
                    await caller.begin()
            answers.append(await caller.ask(body, headers))
        one, two = answers
        assert (one.status, one.body) == (two.status, two.body)
        assert one.headers.keys() == two.headers.keys()
        self.alike()
        return one

    def alike(self) -> None:
        """Records byte for byte, what was counted, what reached the server, what is kept."""
        worlds = [house.world for house in self.houses]
        one, two = ([_encode(each) for each in world.ledger.noted] for world in worlds)
        assert one == two
        assert worlds[0].meter.ends == worlds[1].meter.ends
        assert len(worlds[0].upstream.calls()) == len(worlds[1].upstream.calls())
        assert worlds[0].gate.cache.stats() == worlds[1].gate.cache.stats()

    def both(self, do: Callable[[House], object]) -> None:
        for house in self.houses:
            do(house)

    def forget_callers(self) -> None:
        """The next ones come on connections, and in sessions, of their own."""
        self._callers.clear()

    def rule(self, **changes: Any) -> None:
        """Put other rules in force, as a reload does."""
        for house in self.houses:
            house.rules = msgspec.structs.replace(house.rules, **changes)
            house.world.rules = msgspec.structs.replace(
                house.world.rules, **{k: v for k, v in changes.items() if k == "limits"}
            )
            house.edge.forget()


@asynccontextmanager
async def twins(
    rule: CacheRule | None = None, caches: Sequence[Cache] = (), **more: Any
) -> AsyncIterator[Twins]:
    """`caches`: other ones than those in memory, one for each."""
    kept = Caching(other=rule or CacheRule(ttl=60.0))
    worlds = [World(github(caching=kept, **more)).knows_the_tools() for _ in range(2)]
    for world, cache in zip(worlds, caches, strict=False):
        answering_from(world, cache)
    recalls = [watched(world, most) for world, most in zip(worlds, (1000, 0), strict=True)]
    for world in worlds:
        world.upstream.script = counting
    async with open_house(worlds[0]) as one, open_house(worlds[1]) as two:
        yield Twins([one, two], recalls)


def body(
    id: object = 1, arguments: object = None, name: str = "list_issues", **params: Any
) -> bytes:
    """As most clients write it."""
    said = {"name": name, "arguments": arguments or {"repo": "api"}, **params}
    message = {"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": said}
    return json.dumps(message, separators=(",", ":")).encode()


async def known(both: Twins, **how: Any) -> int:
    """Ask until it is recognised; how often it was."""
    for number in range(4):
        await both.ask(body(number), **how)
    return both.taken


def purge(house: House) -> None:
    house.world.gate.cache.purge_near(Selector(tag="github.list_issues"))  # type: ignore[attr-defined]
