"""The part of the house with a database: approvals, temporary access, the API, news for people."""

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from torhaus.admin.acts import Effect
from torhaus.admin.auditing import Reading
from torhaus.admin.cache import PurgeCache, purging
from torhaus.admin.keeping import (
    HoldRecords,
    ReleaseHold,
    RestoreRecords,
    holding,
    releasing,
    restoring,
)
from torhaus.admin.links import DecisionLinks
from torhaus.admin.means import Means
from torhaus.admin.perform import WORKS, Admin
from torhaus.admin.pinning import Pinning
from torhaus.admin.requests import Requests
from torhaus.admin.rounds import Grants, Rounds
from torhaus.admin.views import Books
from torhaus.api.application import Stores, application
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller, Turned
from torhaus.config.settings import Settings
from torhaus.edge.admission import Admission, Denied
from torhaus.edge.outside import outside
from torhaus.gate.allowances import left, scarcest
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.shelf import Shelf
from torhaus.limits.charges import key_name
from torhaus.mcp.seal import Sealer
from torhaus.model.health import Health
from torhaus.model.limits import Scarcity
from torhaus.model.notify import Webhook
from torhaus.model.pins import Pin
from torhaus.model.ports import Cache, Counters, Ledger, Notifier, Remaining, UpstreamError
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.model.usage import Used
from torhaus.redact.guard import Guard
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.tiers.storehouse import Storehouse
from torhaus.store.query.copies import copying
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords, held_back
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice
from torhaus.upstream.plainhttp import PlainHttp
from torhaus.watch.announcer import Announcer, LogNotifier
from torhaus.watch.budgets import Budgets
from torhaus.watch.usage import Usage
from torhaus.watch.webhook import Headers, WebhookNotifier
from torhaus.web.approvals import Approvals
from torhaus.web.operations import Operations
from torhaus.web.operations import application as pages

log = structlog.get_logger()

CALLERS = 200
"""Those whose budgets are shown in metrics: who called last."""
PATIENCE = 5.0
"""Seconds a webhook may take to connect, and to answer."""


def fresh_id() -> str:
    """Nobody guesses one, so a link or an id in a message leads nowhere else."""
    return "adm_" + secrets.token_hex(10)


class Annex:
    """Built inside the event loop. `regrant` puts other grants in force."""

    def __init__(  # noqa: PLR0913 - one argument for each thing it shares with the house
        self,
        settings: Settings,
        *,
        sealer: Sealer,
        ledger: Ledger,
        journal: Journal,
        catalogue: Catalogue,
        rules: Callable[[], Rules],
        regrant: Callable[[Grants], Awaitable[None]],
        cache: Cache,
        counters: Counters,
        guard: Guard,
    ) -> None:
        self._settings = settings
        self._rules = rules
        self._tasks: list[asyncio.Task[None]] = []
        self.port: int | None = None
        url = settings.state_url
        self.database = Database(None if url is None else url.reveal(), settings.data_dir)
        office = StateOffice(self.database)
        self.mail = Mail(rules, fresh_id)
        self.announcer = Announcer(self.mail.notifiers)
        means = Means(
            office=office,
            ledger=ledger,
            rules=rules,
            clock=time.time,
            ids=fresh_id,
            announce=self.announcer.announce,
            guard=guard,
        )
        self.links = DecisionLinks(sealer, self._origin)
        self.requests = Requests(means, self.links)
        self.rounds = Rounds(means, self.requests, regrant)
        self.cache = cache
        self.counters = counters
        self.storehouse = Storehouse(settings, journal, ledger, fresh_id)
        works = {
            **WORKS,
            PurgeCache: purging(lambda: self.cache),
            HoldRecords: holding(lambda: self.storehouse.vault),
            ReleaseHold: releasing(lambda: self.storehouse.vault),
            RestoreRecords: restoring(lambda: self.storehouse.vault),
        }
        self.admin = Admin(means, self._happened, works)
        self.catalogue = catalogue
        self.pinning = Pinning(means, catalogue.pins, catalogue.decided)
        self.books = Books(office, rules)
        files = AuditFiles(journal.directory, copying(self.storehouse.copies))
        self.reading = Reading(means, SandboxRecords(files.find), lambda: self._settings.queries)
        self.confined = held_back() is None
        self.usage = Usage(office, rules, time.time, self.announcer.announce)
        self.budgets = Budgets(self._scarcest)

    async def start(self) -> list[str]:
        """Open the database and run what is missing of migrations; returns their names.

        Then look at the grants once, before anybody calls. Raises StateError.
        """
        steps = await self.database.open()
        self.storehouse.start()
        await self.rounds.look_at_grants(time.time())
        await self.pinning.load()
        self._tasks = [
            asyncio.create_task(self.rounds.run(), name="state rounds"),
            asyncio.create_task(self.pinning.run(), name="pinning"),
            asyncio.create_task(self.announcer.run(), name="announcer"),
            asyncio.create_task(self.usage.run(), name="usage"),
            asyncio.create_task(self.budgets.run(), name="budgets"),
        ]
        return steps

    def renew(self, settings: Settings) -> None:
        """The file has changed; where the database is stays as it was at the start."""
        self._settings = settings

    async def close(self) -> None:
        await self.storehouse.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.usage.close()
        await self.pinning.close()
        await self.requests.close()
        self.mail.close()
        await self.database.close()

    def entrance(
        self,
        operations: Operations,
        admission: Callable[[], Admission],
        healths: Callable[[Server], Health],
    ) -> ASGIApp:
        """Everything that is not `/mcp`: the API under /api, and the pages."""
        door = Gatekeeper(admission, self._rules)
        backstage = Backstage(
            admin=self.admin, books=self.books, rules=self._rules, clock=time.time
        )
        decisions = Approvals(
            admin=self.admin,
            books=self.books,
            links=self.links,
            rules=self._rules,
            clock=time.time,
            look=door.refusal,
        )
        shelf = Shelf(self.catalogue, self.pinning.save)
        stores = Stores(
            lambda: self.cache, self._left, self._used, self.storehouse.vault, self.reading, healths
        )
        api = application(backstage, shelf, stores, door.admit, door.look)
        return entrance(api, pages(operations, decisions.page))

    async def _left(self, caller: Caller) -> Sequence[Remaining]:
        now = time.time()
        return await left(self.counters, self._rules(), caller.principal, caller.key, now)

    async def _scarcest(self) -> Mapping[str, Scarcity]:
        rules = self._rules()
        people = {each.email: each for each in rules.principals.values()}
        callers = [people[email] for email in self.usage.lately()[:CALLERS] if email in people]
        return await scarcest(self.counters, rules, callers, time.time())

    async def _used(self, month: str | None) -> tuple[str, list[Used]]:
        name = month or self.usage.this_month()
        return name, await self.usage.used(name)

    def notices(self) -> Mapping[str, int]:
        """What became of news for people."""
        return self.announcer.counts + self.mail.counts

    def _happened(self, effect: Effect) -> None:
        if effect.approval is not None:
            self.requests.waiting.wake(effect.approval)
        if effect.grants:
            self.rounds.ask()
        if isinstance(effect.result, Pin):
            self.catalogue.decided(effect.result)

    def _origin(self) -> str | None:
        """Where people reach us: the public URL, or this machine while nothing else is known."""
        settings = self._settings
        if settings.public_url is not None:
            return settings.public_url
        port = settings.port if self.port is None else self.port
        return f"http://127.0.0.1:{port}" if port else None


class Gatekeeper:
    """The edge's checks, for ASGI."""

    def __init__(self, admission: Callable[[], Admission], rules: Callable[[], Rules]) -> None:
        self._admission = admission
        self._rules = rules

    def admit(self, scope: Scope) -> Caller | Turned:
        asking = outside(scope)
        try:
            visitor = self._admission().admit(asking, self._rules())
        except Denied as denied:
            return _turned(denied)
        key = "" if visitor.key is None else key_name(visitor.key)
        return Caller(visitor.principal, asking.peer.ip, key)

    def look(self, scope: Scope) -> Turned | None:
        try:
            self._admission().check(outside(scope))
        except Denied as denied:
            return _turned(denied)
        return None

    def refusal(self, scope: Mapping[str, Any]) -> tuple[int, str] | None:
        found = self.look(dict(scope))
        return None if found is None else (found.status, found.reason)


def _turned(denied: Denied) -> Turned:
    challenge = dict(denied.headers).get(b"www-authenticate")
    said = None if challenge is None else challenge.decode("latin-1")
    return Turned(denied.error.status, str(denied.error), said)


def entrance(api: ASGIApp, pages: ASGIApp) -> ASGIApp:
    async def entered(scope: Scope, receive: Receive, send: Send) -> None:
        inside = scope["type"] == "http" and scope["path"].startswith(("/api/", "/cache/"))
        await (api if inside else pages)(scope, receive, send)

    return entered


class Mail:
    """The notifiers that the rules in force ask for. A webhook keeps its connections."""

    def __init__(self, rules: Callable[[], Rules], ids: Callable[[], str]) -> None:
        self._rules = rules
        self._ids = ids
        self._log = LogNotifier()
        self.counts: Counter[str] = Counter()
        self._hook: Webhook | None = None
        self._http: PlainHttp | None = None
        self._notifier: WebhookNotifier | None = None

    def notifiers(self) -> Sequence[Notifier]:
        hook = self._rules().webhook
        if hook != self._hook:
            self.close()
            self._hook = hook
            if hook is not None:
                self._notifier = WebhookNotifier(
                    hook, self._post, self.counts, clock=time.time, ids=self._ids
                )
        return (self._log,) if self._notifier is None else (self._log, self._notifier)

    async def _post(self, url: str, headers: Headers, body: bytes) -> tuple[int, bytes]:
        if self._http is None:
            try:
                self._http = PlainHttp(
                    url, connect_timeout=PATIENCE, timeout=PATIENCE, ca_file=None
                )
            except (OSError, ValueError) as error:
                raise UpstreamError(f"the webhook's URL cannot be used: {error}") from error
        return await self._http.post(url, headers, body)

    def close(self) -> None:
        if self._http is not None:
            self._http.close()
        self._http = self._notifier = self._hook = None
