"""The composition root: the one place that knows every room of the house."""

import asyncio
import gc
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog
import uvicorn

from torhaus import __version__
from torhaus.admin.happenings import Happenings
from torhaus.admin.rounds import Grants
from torhaus.annex import Annex, fresh_id
from torhaus.cache.changes import outdated
from torhaus.config.changes import changes
from torhaus.config.load import Loaded
from torhaus.config.problems import ConfigError
from torhaus.config.settings import Settings, restart_needed
from torhaus.edge.admission import Admission
from torhaus.edge.mcp import McpEdge
from torhaus.edge.strangers import Refusals
from torhaus.edge.wire import Lane, lane
from torhaus.gate.calls import numbered
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.flights import Flights
from torhaus.gate.further import Further
from torhaus.gate.gate import Gate
from torhaus.gate.patience import Patience
from torhaus.gate.pinned import Pins
from torhaus.gate.sessions import Sessions
from torhaus.gate.talk import Talk
from torhaus.gate.verdicts import Verdicts
from torhaus.gate.waits import Waits
from torhaus.limits.carried import carried
from torhaus.mcp.seal import Sealer
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.rules import Rules
from torhaus.model.usage import Used
from torhaus.redact.guard import Guard
from torhaus.store.audit.auditlog import AuditLog
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.keys import audit_key
from torhaus.store.counters import MemoryCounters
from torhaus.store.memory import MemoryCache
from torhaus.store.redis.shared import Shared
from torhaus.store.secret_key import sealing_secret
from torhaus.store.state.migrate import every
from torhaus.upstream.links import Links
from torhaus.watch.metrics import Gauges, Metrics
from torhaus.watch.reload import Reload
from torhaus.web.operations import Operations
from torhaus.web.status import ServerState

log = structlog.get_logger()

KEEP_ALIVE = 75.0
SLOW_REQUEST = 30.0
BEAT = 15.0
FIRST = 2.0
"""Seconds the start waits for the shared cache and counters."""
DRAIN = 8.0
"""Seconds calls have to finish when the gateway is told to stop."""


class House:
    """A running gateway. Built inside the event loop that runs it."""

    def __init__(self, loaded: Loaded, guard: Guard) -> None:
        self.guard = guard
        self.settings: Settings = loaded.settings
        self._loaded, self._rules = loaded, loaded.rules
        self._granted: Grants = ()
        self._began = datetime.now(UTC)
        prefix = "req_" + secrets.token_hex(6)
        ids = numbered(prefix)
        data, audit = self.settings.data_dir, self.settings.audit
        key, secret = audit_key(data, os.urandom), sealing_secret(data, os.urandom)
        guard.keep(key.reveal(), secret)
        guard.renew(each.reveal() for each in loaded.secrets)
        self.journal = Journal(data / "audit", key)
        self.audit = AuditLog(
            data / "audit", audit, prefix, self.journal, guard, lambda: self._rules.principals
        )
        self.ledger = self.audit.ledger
        self.happenings = Happenings(self.ledger, time.time, fresh_id)
        self.strangers = Refusals(clock=time.time)
        self.links = Links(ids, guard.text)
        self.catalogue = Catalogue(Pins(tell=lambda news: self.annex.pinning.tell(news)))
        sealer = Sealer(secret, os.urandom)
        self.sessions = Sessions(sealer, os.urandom)
        redis, size = self.settings.redis, self.settings.cache_size
        self.shared = None if redis is None else Shared(redis, size)
        self.cache = MemoryCache(size) if self.shared is None else self.shared.cache
        self.counters = MemoryCounters() if self.shared is None else self.shared.counters
        self.annex = Annex(
            self.settings,
            sealer=sealer,
            ledger=self.ledger,
            journal=self.journal,
            catalogue=self.catalogue,
            rules=self.rules,
            regrant=self.regrant,
            cache=self.cache,
            counters=self.counters,
            guard=guard,
        )
        self.metrics = Metrics(
            self._gauges(),
            known=self.catalogue.tools,
            also=self.annex.usage.ended,
            costs=lambda: self._rules.costs,
        )
        self.gate = Gate(
            upstreams=self.links,
            cache=self.cache,
            counters=self.counters,
            ledger=self.audit.calls,
            meter=self.metrics,
            sealer=sealer,
            sessions=self.sessions,
            catalogue=self.catalogue,
            flights=Flights(),
            verdicts=Verdicts(),
            patience=Patience(
                approvals=self.annex.requests,
                rules=self.rules,
                link=self.annex.links.url,
                sealer=sealer,
                waits=Waits(os.urandom),
                further=Further(sealer, os.urandom),
                clock=time.time,
            ),
            parked={},
            clock=time.time,
            stopwatch=time.perf_counter,
            ids=ids,
            guard=guard,
            strict=audit.durability == "strict",
        )
        self.talk = Talk(gate=self.gate)
        admission = Admission(self.settings, self.strangers.note)
        self.edge = McpEdge(admission=admission, rules=self.rules, gate=self.gate, talk=self.talk)
        self.lane = lane(self.edge, self.settings.max_body)
        self.reload: Reload | None = None

    def _gauges(self) -> Gauges:
        return Gauges(
            audit_healthy=self.ledger.healthy,
            audit_lost=self.audit.lost,
            evidence=self.audit.evidence,
            audit_files=lambda: self.annex.storehouse.standing(),
            sessions=lambda: len(self.sessions),
            streams=lambda: len(self.edge.open_streams),
            waiting=lambda: len(self.gate.patience.waits),
            state_healthy=lambda: self.annex.database.trouble is None,
            notices=self.annex.notices,
            cache=self.cache.stats,
            redis_up=self._redis_up,
            sinks=self.audit.sinks,
            limits=lambda: self.annex.budgets.left,
            upstreams=self.links.healths,
        )

    @property
    def _redis_up(self) -> Callable[[], bool] | None:
        shared = self.shared
        return None if shared is None else lambda: shared.up

    def rules(self) -> Rules:
        return self._rules

    def reading(self, read: Callable[[], Loaded]) -> Callable[[], Loaded]:
        """Reads the file, with the grants of the database. For threads."""

        def granted() -> Loaded:
            self._granted = self.annex.rounds.grants
            loaded = read()
            self.guard.renew(each.reveal() for each in loaded.secrets)
            return loaded.with_grants(self._granted)

        return granted

    def swap(self, loaded: Loaded) -> None:
        """Put a new version of the configuration in force."""
        old, new = self._loaded.fingerprint, loaded.fingerprint
        needs = restart_needed(self.settings, loaded.settings)
        self.happenings.reloaded(old.digest, new.digest, changes(old, new), needs)
        self._loaded = loaded
        if self._granted is not self.annex.rounds.grants:
            self.annex.rounds.forget()  # they changed while the file was read
        self._put(loaded)

    def refuse(self, error: ConfigError) -> None:
        """A new version of the configuration cannot be put in force."""
        self.happenings.reload_refused(self._loaded.fingerprint.digest, len(error.problems))

    async def regrant(self, grants: Grants) -> None:
        """Put other grants in force. A thread compiles them: calls must not wait for that."""
        base = None
        while base is not self._loaded:  # the file may change meanwhile
            base = self._loaded
            fresh = await asyncio.to_thread(base.with_grants, grants)
        self._put(fresh)

    def _put(self, loaded: Loaded) -> None:
        untrue = outdated(self._rules, loaded.rules)
        self._rules = loaded.rules
        if untrue:
            self.gate.fetching.chore(self.gate.fetching.forget(untrue))
        self.annex.renew(loaded.settings)
        self.edge.admission = Admission(loaded.settings, self.strangers.note)
        self.edge.forget()
        self.lane.max_body = loaded.settings.max_body
        for server in self.links.retain(loaded.rules.servers.values()):
            self.catalogue.forget(server)
        self.edge.revoke(time.time())

    def operations(self) -> Operations:
        return Operations(
            rules=self.rules,
            states=lambda: [ServerState.of(*each) for each in self.links.healths().items()],
            audit_healthy=self.ledger.healthy,
            files_trouble=lambda: self.annex.storehouse.standing().trouble,
            audit_lost=None if self.audit.required else self.audit.lost,
            evidence=self.audit.evidence,
            state_trouble=lambda: self.annex.database.trouble,
            shared_up=self._redis_up,
            config_trouble=lambda: None if self.reload is None else self.reload.trouble,
            metrics=self.metrics.render,
            sinks=self.audit.late,
            confined=self.annex.confined,
            started=f"{self._began:%Y-%m-%d %H:%M} UTC",
        )

    async def every_second(self, connections: Callable[[], list[Lane]]) -> None:
        """What time brings: idle connections, expired callers, forgotten sessions."""
        loop = asyncio.get_running_loop()
        beat = loop.time() + BEAT
        while True:
            await asyncio.sleep(1.0)
            try:
                self.edge.revoke(time.time())
                self.gate.intents.pay()
                self.happenings.strangers(self.strangers.due(time.time()))
                if loop.time() >= beat:
                    beat = loop.time() + BEAT
                    self._sweep(connections(), loop.time())
                self.audit.refresh()  # the last: a damaged file of keys must not keep the rest
            except Exception:
                log.exception("house.tick.failed")

    def _sweep(self, connections: list[Lane], now: float) -> None:
        for session in self.sessions.sweep(time.time()):
            self.gate.abandon(session)
            self.gate.fetching.chore(self.edge.many.fronts.end(session))
        self.gate.expire(time.time())
        self.audit.beat(self.gate.intents.since(time.time()))
        for connection in connections:
            connection.tick(now, idle=KEEP_ALIVE, slow=SLOW_REQUEST)

    async def open(self) -> None:
        """Open what calls are written to. Raises LedgerError, StateError."""
        interrupted = await self.audit.open(time.time())
        if self.shared is not None and not await self.shared.first(FIRST):
            log.warning("redis.unreachable")
        try:
            steps = await self.annex.start()
            self.happenings.started(__version__, self._loaded.fingerprint.digest, interrupted)
            await self.happenings.write()
        except (StateError, LedgerError):
            await self.annex.close()
            await self.audit.close(complete=True)
            raise
        if steps and steps != every():  # a new database is no news
            log.info("state.migrated", steps=steps)
        self.links.retain(self._rules.servers.values())
        if isinstance(self.counters, MemoryCounters):
            self._carry_over(self.counters, await self.annex.usage.used())

    def _carry_over(self, counters: MemoryCounters, used: list[Used]) -> None:
        """Budgets by the month go on where the last process left them."""
        rules, now = self._rules, time.time()
        people = {each.email: each for each in rules.principals.values()}
        zone = ZoneInfo(rules.timezone)
        counters.note([*carried(used, rules.limits, rules.costs, people, zone, now)], now)

    async def close(self) -> None:
        self.gate.expire(float("inf"))
        await self.edge.many.close()
        await self.links.shutdown()
        await self.annex.close()
        if self.shared is not None:
            await self.shared.close()
        self.happenings.strangers(self.strangers.due())
        self.happenings.stopped()
        await self.happenings.close()
        (left := self.gate.intents).pay()
        await self.audit.close(complete=not (left.open or left.owed))


class Server(uvicorn.Server):
    """uvicorn's server around a house; the house starts before it and ends with it."""

    def __init__(self, house: House, config: uvicorn.Config, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._house = house
        self._ready = ready
        self._ticking: asyncio.Task[None] | None = None

    async def startup(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        await super().startup(sockets)  # type: ignore[arg-type]
        loop = asyncio.get_running_loop()
        self._ticking = loop.create_task(self._house.every_second(self._lanes))
        # The house is built and stays: the collector need not walk it again for every call.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 20)
        self._ready()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop on SIGINT and SIGTERM. Unlike uvicorn's own, an orderly end exits with 0."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.handle_exit, number, None)
        try:
            yield
        finally:
            for number in (signal.SIGINT, signal.SIGTERM):
                loop.remove_signal_handler(number)

    def _lanes(self) -> list[Lane]:
        return [each for each in self.server_state.connections if isinstance(each, Lane)]

    async def shutdown(self, sockets: list[object] | None = None) -> None:  # type: ignore[override]
        if self._ticking is not None:
            self._ticking.cancel()
        # uvicorn waits for connections, and those wait for calls: both at once, not one by one.
        draining = asyncio.ensure_future(self._house.edge.drain(DRAIN))
        await super().shutdown(sockets)  # type: ignore[arg-type]
        await draining
        await self._house.close()


async def serve(
    loaded: Loaded,
    path: Path,
    read: Callable[[], Loaded],
    *,
    ready: Callable[[], None],
    sockets: list[socket.socket] | None = None,
    guard: Guard | None = None,
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once the port answers.

    `guard`: the log's, if it has one. `sockets`: bound ones instead of the settings' host and port.
    Raises LedgerError when the audit log cannot be opened, StateError when the state database
    cannot, OSError when the port is taken.
    """
    house = House(loaded, guard or Guard())
    await house.open()
    house.reload = Reload(path, loaded, house.reading(read), house.swap, house.refuse)
    settings = loaded.settings
    if sockets:
        house.annex.port = sockets[0].getsockname()[1]
    config = uvicorn.Config(
        house.annex.entrance(house.operations(), lambda: house.edge.admission, house.links.health),
        host=settings.host,
        port=settings.port,
        http=house.lane,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=4096,
        timeout_keep_alive=int(KEEP_ALIVE),
        timeout_graceful_shutdown=int(DRAIN) + 1,
    )
    server = Server(house, config, ready)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, house.reload.ask)
    jobs = (house.reload.run(), house.happenings.run(), house.audit.watch())
    watching = [loop.create_task(each) for each in jobs]
    try:
        await server.serve(sockets)
    finally:
        for task in watching:
            task.cancel()
