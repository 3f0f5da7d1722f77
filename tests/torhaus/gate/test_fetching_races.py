"""A read races a write: who asks after the write was answered never hears what was before it."""

import asyncio
import json
from collections import Counter
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, World, github
from tests.torhaus.scripted import text
from torhaus.model.caching import CacheRule, Caching, Invalidation, Scope
from torhaus.model.names import normal
from torhaus.model.outcome import Answer, Answered, Failed
from torhaus.model.ports import Ask, Sink, UpstreamError

READERS = (ALICE, BOB, DANA)
TURNS = 6
"""Turns of the loop that one step takes at most."""

READ, WRITE = normal("list_issues"), normal("create_issue")
LANES = 2

RULES = {
    "plain": CacheRule(ttl=300.0),
    "stale": CacheRule(ttl=2.0, stale_while_revalidate=300.0, stale_if_error=300.0),
    "short": CacheRule(ttl=0.5),
    "own": CacheRule(ttl=300.0, scope=Scope.USER),
}
WHERE = {"all": (), "some": (("repo", "{repo}"),)}


@dataclass
class Race:
    """A server whose reads and writes take random steps, and what everybody was told.

    `truth`: thing -> version. `told`: thing -> the newest version whose write was answered.
    """

    seed: int
    rule: CacheRule
    where: tuple[tuple[str, str], ...]
    seen: Counter[str] = field(default_factory=Counter)
    truth: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    writing: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        untrue = Invalidation(tag="github.list_issues", where=self.where)
        caching = Caching(tools={READ: self.rule}, triggers={WRITE: (untrue,)})
        self.world = World(github(caching=caching)).knows_the_tools()
        self.world.upstream.script = self.server

    async def server(self, ask: Ask, sink: Sink) -> Answer:
        arguments = json.loads(ask.params)["arguments"]
        if ask.name == "create_issue":
            return await self.written(arguments["repo"])
        await self.pause()
        version = self.truth[arguments["repo"]]
        for _ in range(self.chance.choice((1, 1, 8))):  # some outlast a whole write
            await self.pause()
        if self.chance.random() < 0.1:
            raise UpstreamError("it hung up")
        return text(str(version))

    async def written(self, repo: str) -> Answer:
        await self.pause()
        self.truth[repo] += 1
        version = self.truth[repo]
        await self.pause()
        end = self.chance.random()
        if end < 0.1:
            raise UpstreamError(f"it hung up after version {version}")
        return text(str(version), isError=end < 0.2)

    async def pause(self) -> None:
        for _ in range(self.chance.randrange(TURNS)):
            await asyncio.sleep(0)

    async def read(self, repo: str) -> None:
        await self.pause()
        least = self.told[repo]
        by = self.chance.choice(READERS)
        outcome = await self.hurried(self.world.tool("list_issues", {"repo": repo}, by=by))
        if not isinstance(outcome, Answered):
            return
        version = int(json.loads(outcome.answer.result or b"")["content"][0]["text"])
        self.seen[outcome.served or "asked"] += 1
        self.seen["raced"] += bool(self.writing[repo])
        assert version >= least, f"{version} after {least} was answered, seed {self.seed}"

    async def write(self, repo: str) -> None:
        await self.pause()
        self.writing[repo] += 1
        outcome = await self.hurried(self.world.tool("create_issue", {"repo": repo}, by=DANA))
        self.writing[repo] -= 1
        if isinstance(outcome, Answered):
            said = json.loads(outcome.answer.result or b"")["content"][0]["text"]
        elif isinstance(outcome, Failed):
            said = outcome.reason.split()[-1]  # it has written all the same
        else:
            return
        self.told[repo] = max(self.told[repo], int(said))

    async def hurried(self, asking: Any) -> Any:
        """The outcome; None for a caller who hung up."""
        task = self.world.begin(asking)
        if self.chance.random() < 0.1:
            await self.pause()
            task.cancel()
        with suppress(asyncio.CancelledError):
            return await task
        return None

    async def once(self, repo: str) -> None:
        """One write and some reads at about the same time, then a read that must know."""
        acts: list[Awaitable[None]] = [self.reads(repo) for _ in range(self.chance.randint(1, 3))]
        acts.insert(self.chance.randrange(len(acts) + 1), self.write(repo))
        await asyncio.gather(*acts)
        self.world.clock.turn(self.chance.choice((0.0, 0.01, 0.3)))
        await self.reads(repo)

    async def reads(self, repo: str) -> None:
        for _ in range(self.chance.randint(1, 3)):
            await self.read(repo)

    async def many(self, races: int) -> None:
        """Several at once, now and then about the same thing."""
        left = iter(range(races))

        async def lane() -> None:
            for _ in left:
                await self.once(f"r{self.chance.randrange(12)}")

        await asyncio.gather(*(lane() for _ in range(LANES)))


def run(race: Race, races: int) -> None:
    asyncio.run(race.many(races))


@pytest.mark.parametrize("where", WHERE.values(), ids=WHERE)
@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_no_read_gets_an_answer_from_before_an_answered_write(
    rule: CacheRule, where: tuple[tuple[str, str], ...]
) -> None:
    """1,250 races each: ten thousand together."""
    race = Race(7, rule, where)

    run(race, 1250)

    assert race.seen["raced"] > 500
    assert race.seen["hit"] > 300
    assert race.seen["coalesced"] > 200
    assert race.world.gate.cache.stats().refused > 20


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(20))
def test_not_with_other_chances_either(seed: int) -> None:
    for rule in RULES.values():
        for where in WHERE.values():
            run(Race(seed, rule, where), 1250)
