"""The composition root: the one place that knows every room of the house."""

import asyncio
import os
import secrets
import signal
import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import structlog

from torhaus import __version__
from torhaus.admin.happenings import Happenings
from torhaus.annex import Annex, fresh_id
from torhaus.cache.changes import outdated
from torhaus.config.certificates import context
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
from torhaus.inforce import InForce
from torhaus.limits.carried import carried
from torhaus.mcp.seal import Sealer
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.rules import Rules
from torhaus.model.usage import Used
from torhaus.redact.guard import Guard
from torhaus.serving import DRAIN, KEEP_ALIVE, Server, configured
from torhaus.store.audit.auditlog import AuditLog
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.keys import audit_key
from torhaus.store.counters import MemoryCounters
from torhaus.store.memory import MemoryCache
from torhaus.store.redis.shared import Shared
from torhaus.store.secret_key import shared_secret
from torhaus.store.state.migrate import every
from torhaus.upstream.links import Links
from torhaus.watch.certificates import Certificates
from torhaus.watch.metrics import Gauges, Metrics
from torhaus.watch.reload import Reload
from torhaus.web.operations import Operations
from torhaus.web.status import ServerState

log = structlog.get_logger()

SLOW_REQUEST = 30.0
BEAT = 15.0
FIRST = 2.0
"""Seconds the start waits for the shared cache and counters."""


class House:
    """A running gateway. Built inside the event loop that runs it."""

    def __init__(self, loaded: Loaded, guard: Guard) -> None:
        self.guard = guard
        self.settings: Settings = loaded.settings
        self._before = self._recalled = loaded.rules
        self.force = InForce(loaded, self._put)
        self._began = datetime.now(UTC)
        prefix = "req_" + secrets.token_hex(6)
        ids = numbered(prefix)
        data, audit = self.settings.data_dir, self.settings.audit
        key, secret = audit_key(data, os.urandom), shared_secret(os.environ, data, os.urandom)
        guard.keep(key.reveal(), secret)
        guard.renew(each.reveal() for each in loaded.secrets)
        self.journal = Journal(data / "audit", key)
        self.audit = AuditLog(
            data / "audit", audit, prefix, self.journal, guard, lambda: self.rules().principals
        )
        self.ledger = self.audit.ledger
        self.happenings = Happenings(self.ledger, time.time, fresh_id)
        self.strangers = Refusals(clock=time.time)
        self.links = Links(ids, guard.text, way=lambda each: self.annex.strongroom.way(each))
        self.catalogue = Catalogue(Pins(tell=lambda news: self.annex.pinning.tell(news)))
        sealer = Sealer(secret, os.urandom)
        self.sessions = Sessions(sealer, os.urandom)
        redis, size = self.settings.redis, self.settings.cache_size
        self.shared = None if redis is None else Shared(redis, size)
        self.cache = MemoryCache(size) if self.shared is None else self.shared.cache
        self.counters = MemoryCounters() if self.shared is None else self.shared.counters
        self.annex = self._annex(sealer)
        self.metrics = Metrics(
            self._gauges(),
            known=self.catalogue.tools,
            also=self.annex.usage.ended,
            costs=loaded.rules.costs,
        )
        self.gate = self._gate(sealer, ids)
        self.talk = Talk(gate=self.gate)
        self.edge = McpEdge(
            admission=self._admission(self.settings),
            rules=self.rules,
            gate=self.gate,
            talk=self.talk,
            live=self.annex.live,
        )
        self.lane = lane(self.edge, self.settings.max_body)
        self.reload: Reload | None = None

    def _annex(self, sealer: Sealer) -> Annex:
        return Annex(
            self.settings,
            sealer=sealer,
            ledger=self.ledger,
            journal=self.journal,
            catalogue=self.catalogue,
            rules=self.rules,
            force=self.force,
            cut=lambda: self.edge.cut(),
            left=lambda email: self.edge.dismiss(email),
            refused=self.strangers.note,
            exposed=self.happenings.exposed,
            cache=self.cache,
            counters=self.counters,
            guard=self.guard,
        )

    def _gate(self, sealer: Sealer, ids: Callable[[], str]) -> Gate:
        return Gate(
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
            link=lambda *what: self.annex.strongroom.link(*what),
            parked={},
            clock=time.time,
            stopwatch=time.perf_counter,
            ids=ids,
            guard=self.guard,
            strict=self.settings.audit.durability == "strict",
        )

    def _gauges(self) -> Gauges:
        return Gauges(
            audit_healthy=self.ledger.healthy,
            audit_lost=self.audit.lost,
            evidence=self.audit.evidence,
            audit_files=lambda: self.annex.storehouse.standing(),
            sessions=lambda: len(self.sessions),
            streams=lambda: len(self.edge.open_streams),
            waiting=lambda: len(self.gate.patience.waits),
            state_healthy=lambda: self.annex.trouble is None,
            notices=self.annex.notices,
            cache=self.cache.stats,
            redis_up=self._redis_up,
            sinks=self.audit.sinks,
            limits=lambda: self.annex.budgets.left,
            upstreams=self.links.healths,
            overdue=lambda: len(self.annex.strongroom.purse.over),
            stops=lambda: self.annex.live.stops,
        )

    @property
    def _redis_up(self) -> Callable[[], bool] | None:
        shared = self.shared
        return None if shared is None else lambda: shared.up

    def rules(self) -> Rules:
        return self.force.rules

    def reading(self, read: Callable[[], Loaded]) -> Callable[[], Loaded]:
        """Reads the file, with what the database gives. For threads."""

        def given() -> Loaded:
            loaded = read()
            self.guard.renew(each.reveal() for each in loaded.secrets)
            return self.force.given(loaded)

        return given

    def swap(self, loaded: Loaded) -> None:
        """Put a new version of the configuration in force."""
        old, new = self.force.loaded.fingerprint, loaded.fingerprint
        needs = restart_needed(self.settings, loaded.settings)
        self.happenings.reloaded(old.digest, new.digest, changes(old, new), needs)
        if not self.force.swap(loaded):
            self.annex.rounds.forget()  # something changed while the file was read

    def refuse(self, error: ConfigError) -> None:
        """A new version of the configuration cannot be put in force."""
        digest = self.force.loaded.fingerprint.digest
        self.happenings.reload_refused(digest, len(error.problems))

    def _put(self, loaded: Loaded) -> None:
        """Other rules are in force."""
        before, self._before = self._before, loaded.rules
        untrue = outdated(before, loaded.rules)
        if untrue:
            self.gate.fetching.chore(self.gate.fetching.forget(untrue))
        self.annex.renew(loaded.settings)
        self.metrics.costs = loaded.rules.costs
        self.edge.admission = self._admission(loaded.settings)
        self.edge.forget()
        self.lane.max_body = loaded.settings.max_body
        for server in self.links.retain(loaded.rules.servers.values()):
            self.catalogue.forget(server)
        asyncio.get_running_loop().call_soon(self._recall)

    def _recall(self) -> None:
        """Once for many changes: what they do not allow any more ends."""
        if self._recalled is not self.rules():
            self._recalled = self.rules()
            self.edge.recall(time.time())

    def _admission(self, settings: Settings) -> Admission:
        seen = self.annex.exposure
        return Admission(
            settings,
            self.strangers.note,
            self.annex.live,
            exposed=lambda each: seen.note(each.secret, each.ip),
            open_served=seen.open_served,
        )

    def operations(self) -> Operations:
        return Operations(
            rules=self.rules,
            states=lambda: [ServerState.of(*each) for each in self.links.healths().items()],
            audit_healthy=self.ledger.healthy,
            files_trouble=lambda: self.annex.storehouse.standing().trouble,
            audit_lost=None if self.audit.required else self.audit.lost,
            evidence=self.audit.evidence,
            state_trouble=lambda: self.annex.trouble,
            refuses=lambda: self.annex.refuses(),
            shared_up=self._redis_up,
            config_trouble=lambda: None if self.reload is None else self.reload.trouble,
            metrics=self.metrics.render,
            sinks=self.audit.late,
            confined=self.annex.confined,
            in_clear=lambda: self.annex.exposure.served is not None,
            governed=lambda: self.annex.rounds.governed,
            overdue=lambda: len(self.annex.strongroom.purse.over),
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
        self.edge.leave(self.sessions.sweep(time.time()))
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
            self.happenings.started(__version__, self.force.loaded.fingerprint.digest, interrupted)
            await self.happenings.write()
        except (StateError, LedgerError):
            await self.annex.close()
            await self.audit.close(complete=True)
            raise
        if steps and steps != every():  # a new database is no news
            log.info("state.migrated", steps=steps)
        self.links.retain(self.rules().servers.values())
        if isinstance(self.counters, MemoryCounters):
            self._carry_over(self.counters, await self.annex.usage.used())

    def _carry_over(self, counters: MemoryCounters, used: list[Used]) -> None:
        """Budgets by the month go on where the last process left them."""
        rules, now = self.rules(), time.time()
        people = {each.email: each for each in rules.principals.values()}
        zone = ZoneInfo(rules.timezone)
        counters.note([*carried(used, rules.limits, rules.costs, people, zone, now)], now)

    async def drain(self) -> None:
        await self.edge.drain(DRAIN)

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


async def serve(  # noqa: PLR0913 -- one argument for each thing the command line has made
    loaded: Loaded,
    path: Path,
    read: Callable[[], Loaded],
    *,
    ready: Callable[[str | None], None],
    sockets: list[socket.socket] | None = None,
    guard: Guard | None = None,
    stale: Callable[[], bool] = lambda: False,
) -> None:
    """Serve until SIGINT or SIGTERM. `ready` is called once the port answers.

    It is told the link at which the first administrator is made, None when there is one.
    `guard`: the log's, if it has one. `sockets`: bound ones instead of the settings' host and port.
    `stale`: whether what the file points to has changed.
    Raises LedgerError when the audit log cannot be opened, StateError when the state database
    cannot, OSError when the port is taken.
    """
    house = House(loaded, guard or Guard())
    await house.open()
    house.reload = Reload(path, loaded, house.reading(read), house.swap, house.refuse, stale)
    settings = loaded.settings
    if sockets:
        house.annex.port = sockets[0].getsockname()[1]
    entrance = house.annex.entrance(
        house.operations(), lambda: house.edge.admission, house.links.health
    )
    config = configured(entrance, house.lane, settings)
    link = await house.annex.first_link()
    tls = None if settings.tls is None else context(settings.tls)
    server = Server(house, config, lambda: ready(link), tls)
    shown = Certificates(lambda: None if tls is None else house.annex.settings.tls, server.show)
    loop, reload = asyncio.get_running_loop(), house.reload

    def again() -> None:
        reload.ask()
        shown.ask()

    loop.add_signal_handler(signal.SIGHUP, again)
    jobs = (reload.run(), reload.follow(), shown.run(), house.happenings.run(), house.audit.watch())
    watching = [loop.create_task(each) for each in jobs]
    try:
        await server.serve(sockets)
    finally:
        for task in watching:
            task.cancel()
