"""What the cache and the limits cost: a full call, a miss, hits in memory and in Redis, in turns.

`python -m bench.cache`. Six gateways on one core, real MCP calls over loopback at concurrency 64,
a real Valkey beside them; CPU of the gateway per good call, the least of the rounds. Then a budget
checked in memory, and in Valkey by 64 calls at once. Exit 1 when a hit in memory costs more than
half a full call, a hit in Redis more than two in memory, a check more than 1 or 60 microseconds.
Hits are of questions that come again, and are recognised; first hits, compared with each other, are
of questions that have not come for a long time, and are read.

The load generator is not part of this repository: TORHAUS_SHARED names the folder that has it.
"""

import argparse
import asyncio
import importlib.util
import json
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import uvloop
from tests.clients.gateway import Gateway
from tests.clients.running import Program, listening
from tests.torhaus.store.redis.valkeys import Valkey, alone, gateways, valkey

from bench.run import BUSY, KEY, RUN, SHARED, UPSTREAM_PORT, what_is_missing
from torhaus.model.ports import Charge
from torhaus.model.servers import Window
from torhaus.store.counters import MemoryCounters

SMALL = "64KiB"
"""So little memory that hardly any answer is there: hits come from Redis."""
LARGE = "512MiB"
"""So much that no answer goes before it is asked for again."""
LONG, AT_ONCE = 3600, 0.001
"""Seconds an answer is kept: for hits, and for misses when the same is asked again."""

ASKED = {"hit in memory": 1, "hit in Redis": 1920}
"""Questions in turn. Sixty fit into so little memory; of others, none comes again in a round."""

PROMISES = {
    "hit in memory / full call": 0.5,
    "hit in Redis / hit in memory": 2.0,
    "first hit in Redis / in memory": 2.0,
    "limit in memory, us": 1.0,
    "limit in Redis, us": 60.0,
}


def configuration(redis: Valkey | None, ttl: float | None) -> str:
    entry: dict[str, Any] = {
        "url": f"http://127.0.0.1:{UPSTREAM_PORT}/mcp",
        "rateLimit": {"requests": 1_000_000_000, "window": 3600},
    }
    if ttl is not None:
        entry["cache"] = {"ttl": ttl}
    config: dict[str, Any] = {
        "users": [{"email": "bench@example.com", "role": "dev", "api_keys": ["${BENCH_KEY}"]}],
        "accessControl": [{"role": "dev", "allow": ["everything.read"]}],
        "audit_logs": {"durability": "async", "flush": "20ms"},
        "mcpServers": {"everything": entry},
    }
    if redis is not None:
        config["storage"] = {"redis": {"addresses": f"127.0.0.1:{redis.port}"}}
        config["caching"] = {"max_size": SMALL}
    elif ttl is not None:
        config["caching"] = {"max_size": LARGE}
    return json.dumps(config)


class Target:
    """One gateway under load, with so many questions in turn; None: no question comes again."""

    def __init__(self, generator: ModuleType, gateway: Gateway, questions: int | None) -> None:
        os.sched_setaffinity(gateway.pid, {0})
        self.gateway = gateway
        self._turn = "" if questions in (None, 1) else str(questions)
        self._generator = generator
        self._asked = SimpleNamespace(
            url=gateway.url("everything"),
            auth=f"Bearer {KEY}",
            proto="2025-06-18",
            argkey="text",
            tool="echo",
            mark="torhaus-bench-payload",
            echo=True,
            headers={},
            pid=[gateway.pid],
            core="1",
            unique=questions != 1,
            method="tools/call",
            nocheck=False,
        )
        client, _, _ = generator.verify(self._asked)
        self._sessions = [client.sid]
        for _ in range(BUSY - 1):
            more = generator.Client(self._asked.url, self._asked.auth)
            more.open()
            self._sessions.append(more.sid)

    def cost(self, seconds: int) -> float:
        """Microseconds of CPU per good call."""
        sessions, protocol = self._sessions, self._asked.proto
        os.environ["MCP_TURN"] = self._turn
        found = self._generator.run(self._asked, BUSY, sessions, "echo", protocol, seconds)
        assert not found.get("error"), found
        assert found["bad"] == found["err"] == 0, found
        return float(found["cpu_us"])

    def counted(self, what: str) -> int:
        page = self.gateway.get("/metrics") or ""
        found = re.search(rf"^mcp_gateway_cache_{what}_total\{{[^}}]*\}} (\d+)", page, re.M)
        return 0 if found is None else int(found[1])


def calls(rounds: int, seconds: int) -> dict[str, float]:
    """The least CPU per call of each kind, in microseconds."""
    generator = loaded("loadgen")
    with ExitStack() as open_:
        upstream = [str(SHARED / "bench/upstream/start_upstream.sh")]
        open_.enter_context(Program(upstream, UPSTREAM_PORT, RUN / "upstream.log"))
        redis = open_.enter_context(valkey())
        os.sched_setaffinity(redis.process.pid, {1})
        made = {
            "full call": configuration(None, None),
            "miss that is kept": configuration(None, AT_ONCE),
            "hit in memory": configuration(None, LONG),
            "hit in Redis": configuration(redis, LONG),
            "first hit in memory": configuration(None, LONG),
            "first hit in Redis": configuration(redis, LONG),
        }
        targets = {
            name: Target(generator, gateway, ASKED.get(name))
            for name, text in made.items()
            for gateway in [open_.enter_context(started(name, text))]
        }
        for name in ("hit in Redis", "first hit in Redis", "first hit in memory"):
            targets[name].cost(
                4 * seconds
            )  # fetches what is asked again below, and forgets it here
        found: dict[str, list[float]] = {name: [] for name in targets}
        for _ in range(rounds):
            for name, target in targets.items():
                before = [target.counted(what) for what in ("hits", "misses")]
                found[name].append(target.cost(seconds))
                after = [target.counted(what) for what in ("hits", "misses")]
                hits, misses = (b - a for a, b in zip(before, after, strict=True))
                print(f"  {name:18} {found[name][-1]:6.1f} us  {hits} hits, {misses} misses")
    return {name: min(costs) for name, costs in found.items()}


@contextmanager
def started(name: str, config: str) -> Iterator[Gateway]:
    home = RUN / f"cache-{name.replace(' ', '-')}"
    shutil.rmtree(home, ignore_errors=True)
    with Gateway(config, home, {"BENCH_KEY": KEY}) as gateway:
        yield gateway


def loaded(name: str) -> ModuleType:
    """A module of the load generator."""
    os.environ["BENCH_RUN"] = str(RUN)
    spec = importlib.util.spec_from_file_location(name, SHARED / "bench" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    os.environ["BENCH_LUA"] = f"{module.HERE}/mcp.lua"
    module.HERE = str(Path(__file__).parent)  # for a script of our own around that one
    return module


# -- limits --------------------------------------------------------------------------------------

CHARGE = (Charge("github u-1", Window(1_000_000_000, 3600.0), "github: many"),)


def in_memory(count: int = 200_000) -> float:
    counters, now = MemoryCounters(), 1e9
    began = time.thread_time()
    for _ in range(count):
        counters.take(CHARGE, now)
    return (time.thread_time() - began) / count * 1e6


def in_redis(count: int = 40_000) -> float:
    """CPU of this process; the server's own is not counted."""
    left = iter(range(count))

    async def story(server: Valkey) -> float:
        async with gateways(alone(server)) as (shared,):

            async def one() -> None:
                for _ in left:
                    assert await shared.counters.spend(CHARGE, time.time(), "x") is None

            began = time.process_time()
            await asyncio.gather(*(one() for _ in range(BUSY)))
            return (time.process_time() - began) / count * 1e6

    with valkey() as server:
        return uvloop.run(story(server))


def least(rounds: int, measure: Callable[[], float]) -> float:
    return min(measure() for _ in range(rounds))


# -- the verdict ---------------------------------------------------------------------------------


def report(found: dict[str, float]) -> bool:
    """Print each figure with its promise; whether all were kept."""
    for name, most in PROMISES.items():
        verdict = "ok" if found[name] <= most else "FAIL"
        print(f"{verdict:4} {name:32} {found[name]:6.2f}, at most {most:g}")
    return all(found[name] <= most for name, most in PROMISES.items())


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=3, help="of each measurement")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    missing = what_is_missing()
    if missing is not None:
        print(f"SKIPPED bench: {missing}")
        return 0
    if listening(UPSTREAM_PORT):
        print(f"FAIL bench: another program has port {UPSTREAM_PORT}; is another bench running?")
        return 1
    Path(RUN).mkdir(exist_ok=True)
    costs = calls(asked.rounds, asked.seconds)
    found = {
        "hit in memory / full call": costs["hit in memory"] / costs["full call"],
        "hit in Redis / hit in memory": costs["hit in Redis"] / costs["hit in memory"],
        "first hit in Redis / in memory": (
            costs["first hit in Redis"] / costs["first hit in memory"]
        ),
        "limit in memory, us": least(asked.rounds, in_memory),
        "limit in Redis, us": least(asked.rounds, in_redis),
    }
    print(", ".join(f"{name} {cost:.1f} us" for name, cost in costs.items()))
    return 0 if report(found) else 1


if __name__ == "__main__":
    sys.exit(main())
