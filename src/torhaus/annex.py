"""The part of the house with a database: approvals, temporary access, the API, news for people."""

import asyncio
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import structlog

from torhaus.admin.acts import Effect
from torhaus.admin.auditing import Reading
from torhaus.admin.cache import PurgeCache, purging
from torhaus.admin.connections import ConnectLinks
from torhaus.admin.exposure import EXPOSURE_WORKS, Exposure
from torhaus.admin.following import Following, Force
from torhaus.admin.keeping import (
    HoldRecords,
    ReleaseHold,
    RestoreRecords,
    holding,
    releasing,
    restoring,
)
from torhaus.admin.links import DecisionLinks
from torhaus.admin.live import LiveIndex
from torhaus.admin.means import Means
from torhaus.admin.people.books import PeopleBooks
from torhaus.admin.people.overdue import Overdue
from torhaus.admin.perform import WORKS, Admin, Work
from torhaus.admin.pinning import Pinning
from torhaus.admin.requests import Requests
from torhaus.admin.rounds import Rounds
from torhaus.admin.teams.books import TeamBooks
from torhaus.admin.teams.works import TEAM_WORKS
from torhaus.admin.vaulting import Changed
from torhaus.admin.views import Books
from torhaus.api.application import Stores, application
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller
from torhaus.config.settings import Settings
from torhaus.edge.admission import Admission
from torhaus.foyer import Foyer
from torhaus.gate.allowances import left, scarcest
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.shelf import Shelf
from torhaus.mail import Mail
from torhaus.mcp.seal import Sealer
from torhaus.model.caching import Selector
from torhaus.model.desk import Office
from torhaus.model.health import Health
from torhaus.model.limits import Scarcity
from torhaus.model.pins import Pin
from torhaus.model.ports import Cache, Counters, Ledger, Remaining
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.model.usage import Used
from torhaus.redact.guard import Guard
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.tiers.storehouse import Storehouse
from torhaus.store.query.copies import copying
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords, held_back
from torhaus.store.state.database import databases
from torhaus.store.state.listening import EVERYTHING, Listening
from torhaus.store.state.office import StateOffice
from torhaus.store.state.revisions import APPROVALS, GRANTS, TOOLS
from torhaus.strongroom import Strongroom
from torhaus.threshold import Entrance, Gatekeeper
from torhaus.upstream.wayout import WayOut
from torhaus.watch.announcer import Announcer
from torhaus.watch.budgets import Budgets
from torhaus.watch.usage import Usage
from torhaus.web.approvals import Approvals
from torhaus.web.front import Front
from torhaus.web.operations import Operations
from torhaus.web.operations import application as pages
from torhaus.web.render import Pages

log = structlog.get_logger()

CALLERS = 200
"""Those whose budgets are shown in metrics: who called last."""


def fresh_id() -> str:
    """Nobody guesses one, so a link or an id in a message leads nowhere else."""
    return "adm_" + secrets.token_hex(10)


class Annex:
    """Built inside the event loop. `force`: where other people, grants and stops are put in force.

    `cut` ends the streams and calls of credentials that were taken away, `left` what is still there
    of somebody who is gone. `refused` is told of tokens that nobody knows, `exposed` of keys of the
    file that came in the clear.
    """

    def __init__(  # noqa: PLR0913 - one argument for each thing it shares with the house
        self,
        settings: Settings,
        *,
        sealer: Sealer,
        ledger: Ledger,
        journal: Journal,
        catalogue: Catalogue,
        rules: Callable[[], Rules],
        force: Force,
        cut: Callable[[], None],
        left: Callable[[str], None],
        refused: Callable[[str, str], None],
        exposed: Callable[[str, str, str], None],
        cache: Cache,
        counters: Counters,
        guard: Guard,
    ) -> None:
        self.settings = settings
        self._rules = rules
        self._refused = refused
        self._tasks: list[asyncio.Task[None]] = []
        self._chores: set[asyncio.Task[None]] = set()
        self.port: int | None = None
        self.database, self.watched = databases(settings.state_url, settings.data_dir)
        self.mail = Mail(rules, fresh_id)
        self.announcer = Announcer(self.mail.notifiers)
        means = self._means(ledger, guard)
        self.links = DecisionLinks(sealer, self._origin)
        self.requests = Requests(means, self.links)
        overdue = Overdue(means, lambda: self.live.stops, self._happened)
        self.rounds = Rounds(means, self.requests, force.regrant, overdue.walk)
        self.force = force
        self._index(StateOffice(self.watched), cut, left)
        self.cache = cache
        self.counters = counters
        self.storehouse = Storehouse(settings, journal, ledger, fresh_id)
        way_out = self._way_out = WayOut(lambda: self.settings)
        way_out()  # reading the authorities takes a while: not in the first call
        self.strongroom = Strongroom(
            means, settings, guard, ConnectLinks(sealer, self._origin), self._forget, way_out
        )
        self.foyer = Foyer(means, sealer, lambda: self.settings, self._listening, way_out)
        self.admin = Admin(means, self._happened, self._works())
        self.exposure = Exposure(means, self.admin, self.live, exposed)
        self._shelve(means, catalogue, journal)

    def _means(self, ledger: Ledger, guard: Guard) -> Means:
        return Means(
            office=StateOffice(self.database),
            ledger=ledger,
            rules=self._rules,
            clock=time.time,
            ids=fresh_id,
            announce=self.announcer.announce,
            guard=guard,
            local=lambda: self.settings.local.enabled,
        )

    def _index(self, office: Office, cut: Callable[[], None], left: Callable[[str], None]) -> None:
        """What this process knows of credentials and people, and how it hears of others'."""
        self.live = LiveIndex(office)
        self.live.ended, self.live.left = cut, left
        self.following = Following(
            office,
            self.live,
            time.time,
            shared=self.settings.state_url is not None,
            people=self.force.repeople,
            stops=self._restop,
        )
        self.live.behind = self.following.catch_up

    def _works(self) -> dict[type, Work]:
        return {
            **WORKS,
            **EXPOSURE_WORKS,
            **TEAM_WORKS,
            **self.foyer.works,
            **self.strongroom.works,  # with its own `Arrive`, which keeps what providers say
            PurgeCache: purging(lambda: self.cache),
            HoldRecords: holding(lambda: self.storehouse.vault),
            ReleaseHold: releasing(lambda: self.storehouse.vault),
            RestoreRecords: restoring(lambda: self.storehouse.vault),
        }

    def _shelve(self, means: Means, catalogue: Catalogue, journal: Journal) -> None:
        """What can be looked up: tools, lists, records, use."""
        self.catalogue = catalogue
        self.pinning = Pinning(means, catalogue.pins, catalogue.decided)
        self.books = Books(means.office, self._rules)
        self.people = PeopleBooks(means.office, self._rules, time.time, lambda: self.force.places)
        self.teams = TeamBooks(means.office, self._rules, time.time)
        files = AuditFiles(journal.directory, copying(self.storehouse.copies))
        self.reading = Reading(means, SandboxRecords(files.find), lambda: self.settings.queries)
        self.confined = held_back() is None
        announce = self.announcer.announce
        self.usage = Usage(means.office, self._rules, time.time, announce, catalogue.tools)
        self.budgets = Budgets(self._scarcest)

    async def start(self) -> list[str]:
        """Open the database and run what is missing of migrations; returns their names.

        Then look at the grants once, before anybody calls. Raises StateError.
        """
        steps = await self.database.open()
        await self.watched.connect()
        self.storehouse.start()
        people = await self.following.load()
        self._restop()
        await self.force.repeople(people)
        await self.rounds.look_at_grants(time.time())
        await self.pinning.load()
        self._tasks = [
            asyncio.create_task(self.rounds.run(), name="state rounds"),
            asyncio.create_task(self.following.run(), name="live index"),
            asyncio.create_task(self.pinning.run(), name="pinning"),
            *self._listening_to_others(),
            asyncio.create_task(self.announcer.run(), name="announcer"),
            asyncio.create_task(self.usage.run(), name="usage"),
            asyncio.create_task(self.budgets.run(), name="budgets"),
            asyncio.create_task(self.strongroom.run(), name="strongroom"),
            asyncio.create_task(self.foyer.run(), name="foyer"),
        ]
        return steps

    def _listening_to_others(self) -> list[asyncio.Task[None]]:
        if self.settings.state_url is None:
            return []
        listening = Listening(self.watched, self._heard, fresh_id)
        return [asyncio.create_task(listening.run(), name="listening")]

    def _heard(self, what: str) -> None:
        """Another gateway has changed it, or this one: look at it now, not at the next turn."""
        if what in (GRANTS, EVERYTHING):
            self.rounds.ask()
        if what in (APPROVALS, EVERYTHING):
            self.rounds.decided()
        if what in (TOOLS, EVERYTHING):
            self.pinning.ask()
        if what not in (GRANTS, APPROVALS, TOOLS):
            self.following.ask()

    def renew(self, settings: Settings) -> None:
        """Other rules are in force; where the database is stays as it was at the start."""
        self.settings = settings
        self._way_out()
        self.live.forget()

    async def close(self) -> None:
        self.database.hasten()
        self.watched.hasten()
        await self.storehouse.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.usage.close()
        await self.strongroom.close()
        await self.pinning.close()
        await self.requests.close()
        await self.exposure.close()
        self.mail.close()
        await self.watched.close()
        await self.database.close()

    @property
    def trouble(self) -> str | None:
        """What is wrong with the state database; None when it answers."""
        return self.database.trouble or self.watched.trouble

    def refuses(self) -> bool:
        """Whether keys and tokens of the database are refused now, because it is silent."""
        return self.live.holds and self.live.until <= time.time()

    def entrance(
        self,
        operations: Operations,
        admission: Callable[[], Admission],
        healths: Callable[[Server], Health],
    ) -> Entrance:
        """Everything that is not `/mcp`: the API under /api, and the pages."""
        door = Gatekeeper(admission, self._rules)
        backstage = Backstage(
            admin=self.admin, books=self.books, rules=self._rules, clock=time.time
        )
        page_set = Pages()
        front = Front(pages=page_set, look=door.refusal, origin=lambda: self.settings.public_url)
        reception = self.foyer.reception(self.admin, front, self.live)
        decisions = Approvals(
            admin=self.admin,
            books=self.books,
            links=self.links,
            rules=self._rules,
            clock=time.time,
            pages=page_set,
            known=door.known,
            sessions=reception.sessions,
        )
        shelf = Shelf(self.catalogue, self.pinning.save)
        api = application(backstage, shelf, self._stores(healths), door.admit, door.look)
        connect = self.strongroom.connect(self.admin, page_set, door.known, reception.sessions)
        more = [
            *connect.routes(front),
            *self.foyer.routes(self.admin, front, reception, self._refused),
        ]
        told = replace(operations, stops=lambda: self.live.stops, who=reception.sessions.who)
        whole = pages(told, decisions.page, front, more)
        scim = self.foyer.scim(self.admin, door.look, self._refused)
        proxies, hsts = (lambda: admission().proxies), (lambda: self.settings.hsts)
        return Entrance(api, whole, proxies, hsts, scim)

    def _stores(self, healths: Callable[[Server], Health]) -> Stores:
        """What the API shows beside people and their acts."""
        return Stores(
            lambda: self.cache,
            self._left,
            self._used,
            self.storehouse.vault,
            self.reading,
            healths,
            self.people,
            self.teams,
            self.strongroom.rows,
            self.strongroom.rekey,
            self.foyer.reset_link,
            self.foyer.invitations(self.admin),
        )

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
        self.live.happened(effect)  # the first: what ends has ended, whatever else takes its time
        if effect.persons or effect.moved is not None:
            self.force.amend(effect.persons, effect.moved)
        if effect.stop is not None:
            self._restop()
        if effect.people:
            self.following.ask()
        if effect.grants:
            self.rounds.ask()
        if isinstance(effect.result, Pin):
            self.catalogue.decided(effect.result)
        if isinstance(effect.result, Changed):
            self.strongroom.changed(effect.result)

    def _forget(self, server: str, person: str) -> None:
        """Answers of a server go when its credential changes: another account sees other things."""
        selector = Selector(tag=server, owner=person or None)
        task = asyncio.get_running_loop().create_task(self._purge(selector))
        self._chores.add(task)
        task.add_done_callback(self._chores.discard)

    async def _purge(self, selector: Selector) -> None:
        await self.cache.purge(selector)

    def _restop(self) -> None:
        self.force.restop(self.live.stops)

    def _origin(self) -> str | None:
        """Where people reach us: the public URL, or this machine while nothing else is known."""
        settings = self.settings
        if settings.public_url is not None:
            return settings.public_url
        port = self._listening()
        return f"http://127.0.0.1:{port}" if port else None

    async def first_link(self) -> str | None:
        """Where the first administrator is made, while there is none. Raises StateError."""
        return await self.foyer.first_link(self._origin() or "")

    def _listening(self) -> int:
        return self.settings.port if self.port is None else self.port
