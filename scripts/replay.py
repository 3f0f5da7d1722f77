"""How many calls the cache saves on a working day: `scripts/workday.py` through the real gate.

The gate, its policy, its cache and the product text's lifetimes and triggers are the real ones;
the servers answer at once, and the clock turns from call to call. Every answer is checked: none is
older than its lifetime, or than a write that went through the gate. Exit 1 when one was.
"""

import argparse
import asyncio
import json
import statistics
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.torhaus.cast import World
from tests.torhaus.scripted import listing, text

from scripts.workday import Question, Team, Workday
from torhaus.config.load import load_text
from torhaus.model.outcome import Answer, Answered
from torhaus.model.people import Principal
from torhaus.model.ports import Ask, Sink
from torhaus.model.servers import Server

LIFETIMES: dict[str, dict[str, int]] = {
    "github": {"list_repos": 3600, "list_issues": 300, "get_issue": 60, "list_commits": 7200},
    "sentry": {"get_errors": 30, "get_stats": 600},
}
OWN = {"github": {"list_my_issues": 300}}
UNTRUE = {
    "create_issue": ("list_issues", "get_repo_stats"),
    "create_commit": ("list_commits",),
}
UNKEPT = {"github": ("get_repo_stats", "search_code")}


@dataclass(frozen=True, slots=True)
class Variant:
    """`own`: with the tool whose answers are for one user. `everything_own`: all are like it.

    `narrow`: writes drop the lists of their repository only. `least`: seconds every answer is kept.
    """

    name: str
    own: bool = True
    everything_own: bool = False
    narrow: bool = False
    least: int = 0

    def lifetimes(self, server: str) -> dict[str, int]:
        kept = {**LIFETIMES[server], **OWN.get(server, {})}
        if self.least:
            kept |= dict.fromkeys(UNKEPT.get(server, ()), 0)
        return {tool: max(ttl, self.least) for tool, ttl in kept.items()}


VARIANTS = (
    Variant("as the product text has it"),
    Variant("without the tool that is user-specific", own=False),
    Variant("writes drop the lists of their repository only", narrow=True),
    Variant("the same, every answer kept for five minutes at least", narrow=True, least=300),
    Variant("every tool user-specific", everything_own=True),
)


def configuration(team: Team, variant: Variant) -> str:
    caching = {
        server: {
            tool: {"ttl": ttl, "type": _kind(variant, server, tool)}
            for tool, ttl in variant.lifetimes(server).items()
        }
        for server in LIFETIMES
    }
    where = {"where": {"owner": "{owner}", "repo": "{repo}"}} if variant.narrow else {}
    triggers = [
        {
            "trigger": f"github.{write}",
            "invalidate": [{"tool": f"github.{tool}", **where} for tool in tools],
        }
        for write, tools in UNTRUE.items()
    ]
    people = [
        {"email": f"dev{number}@example.com", "role": "developer", "api_keys": [f"{number:032d}"]}
        for number in range(team.developers)
    ]
    config = {
        "users": people,
        "roles": {"developer": {"permissions": ["*"]}},
        "mcpServers": {each: {"url": f"https://{each}.example.com/mcp"} for each in LIFETIMES},
        "caching": caching,
        "cache_invalidation": triggers,
    }
    return json.dumps(config)


def _kind(variant: Variant, server: str, tool: str) -> str:
    own = variant.everything_own or tool in OWN.get(server, ())
    return "user-specific" if own else "shared"


class WrongAnswerError(Exception):
    """An answer that nobody may get any more."""


@dataclass(slots=True)
class Replay:
    """One day through one gate. `asked`, `fetched`: calls by (server, tool), and those upstream."""

    team: Team
    variant: Variant
    asked: Counter[tuple[str, str]] = field(default_factory=Counter)
    fetched: Counter[tuple[str, str]] = field(default_factory=Counter)
    world: World = field(init=False)
    servers: dict[str, Server] = field(init=False)
    people: list[Principal] = field(init=False)
    _written: dict[tuple[str, str], int] = field(default_factory=dict)
    _turn: int = 0

    def __post_init__(self) -> None:
        rules = load_text(configuration(self.team, self.variant), "replay", {}, Path()).rules
        self.servers = dict(rules.servers)
        by_email = {each.email: each for each in rules.principals.values()}
        self.people = [by_email[f"dev{number}@example.com"] for number in range(len(by_email))]
        self.world = World()
        self.world.rules = rules
        self.world.upstream.script = self._server

    async def play(self, questions: Sequence[Question]) -> None:
        """Raises WrongAnswerError."""
        midnight = self.world.clock.now
        for each in questions:
            if not self.variant.own and each.tool in OWN.get(each.server, ()):
                continue
            self.world.clock.now = midnight + each.at
            await self._one(each)

    async def _one(self, question: Question) -> None:
        self.world.server = self.servers[question.server]
        by = self.people[question.who]
        asking = self.world.tool(question.tool, dict(question.arguments), by=by)
        outcome = await self.world.admit(asking)
        if not isinstance(outcome, Answered) or outcome.answer.result is None:
            raise WrongAnswerError(f"{question.tool}: {outcome}")
        said = json.loads(json.loads(outcome.answer.result)["content"][0]["text"])
        self.asked[question.server, question.tool] += 1
        self.fetched[question.server, question.tool] += not outcome.cached
        self._check(question, said)

    async def _server(self, ask: Ask, sink: Sink) -> Answer:  # noqa: ARG002 -- a script of the scripted server
        """Says what it was asked and when, and remembers what a write makes untrue."""
        if ask.method == "tools/list":  # the gate's own question
            return listing(*map(_tool, _tools(self.world.server.name)))
        params = json.loads(ask.params)
        self._turn += 1
        for tool in UNTRUE.get(params["name"], ()):
            self._written[tool, params["arguments"]["repo"]] = self._turn
        said = {"asked": params["arguments"], "at": self.world.clock.now, "turn": self._turn}
        return text(json.dumps(said))

    def _check(self, question: Question, said: dict[str, Any]) -> None:
        tool = question.tool
        if said["asked"] != question.arguments:
            raise WrongAnswerError(f"{tool}: the answer to another question")
        age = self.world.clock.now - said["at"]
        lifetime = self.variant.lifetimes(question.server).get(tool, 0)
        if age and age >= lifetime:  # asked now, it has no age
            raise WrongAnswerError(f"{tool}: {age:.0f} seconds old")
        repo = question.arguments.get("repo", "")
        if said["turn"] < self._written.get((tool, repo), 0):
            raise WrongAnswerError(f"{tool}: from before a write to {repo}")

    def saved(self) -> float:
        """The share of all calls that no server saw."""
        return 1 - self.fetched.total() / self.asked.total()


def _tools(server: str) -> list[str]:
    known = [*LIFETIMES[server], *OWN.get(server, ()), *UNKEPT.get(server, ())]
    return [*known, *UNTRUE] if server == "github" else known


def _tool(name: str) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}}


def replayed(team: Team, variant: Variant, seed: int) -> Replay:
    """Raises WrongAnswerError."""
    replay = Replay(team, variant)
    asyncio.run(replay.play(Workday(team, seed).questions()))
    return replay


def table(replay: Replay) -> None:
    print(f"\n{'tool':24} {'calls':>7} {'upstream':>9} {'saved':>8}")
    for server, tool in sorted(replay.asked):
        calls, upstream = replay.asked[server, tool], replay.fetched[server, tool]
        print(f"{server + '.' + tool:24} {calls:7} {upstream:9} {1 - upstream / calls:8.1%}")
    calls, upstream = replay.asked.total(), replay.fetched.total()
    writes = sum(count for (_, tool), count in replay.asked.items() if tool in UNTRUE)
    print(f"{'total':24} {calls:7} {upstream:9} {replay.saved():8.1%}")
    kept = [key for key in replay.asked if key[1] in replay.variant.lifetimes(key[0])]
    asked, fetched = (sum(each[key] for key in kept) for each in (replay.asked, replay.fetched))
    print(f"{writes} writes: {writes / calls:.1%} of the calls")
    print(f"of calls of tools that are kept: {1 - fetched / asked:.1%} saved\n")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--days", type=int, default=5, help="for the range over several seeds")
    parser.add_argument("--developers", type=int, default=Team.developers)
    parser.add_argument("--repositories", type=int, default=Team.repositories)
    asked = parser.parse_args()
    team = Team(developers=asked.developers, repositories=asked.repositories)
    seeds = range(asked.seed, asked.seed + asked.days)
    try:
        table(replayed(team, VARIANTS[0], asked.seed))
        for variant in VARIANTS:
            shares = [replayed(team, variant, seed).saved() for seed in seeds]
            span = f"{min(shares):.1%} to {max(shares):.1%}"
            print(f"{variant.name:54} {statistics.median(shares):6.1%} saved ({span})")
    except WrongAnswerError as error:
        print(f"FAIL: {error}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
