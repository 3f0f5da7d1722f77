"""Where administrative acts are tested: real rules of hand-made people, a real database."""

import asyncio
import itertools
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.admin.journeys import MemoryConnecting
from tests.torhaus.admin.vaults import MemoryVault
from tests.torhaus.cast import Clock, sealer
from tests.torhaus.store.state.databases import furnish
from tests.torhaus.witnesses import MemoryLedger
from torhaus.admin.acts import Done, Effect, Refusal
from torhaus.admin.cache import PurgeCache, purging
from torhaus.admin.connections import ConnectLinks, connecting
from torhaus.admin.inviting.works import INVITING_WORKS
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
from torhaus.admin.requests import Requests
from torhaus.admin.safe import Safe
from torhaus.admin.signin.works import SIGNIN_WORKS
from torhaus.admin.teams.works import TEAM_WORKS
from torhaus.admin.vaulting import vaulting
from torhaus.admin.views import Books, View
from torhaus.identity.keys import digest
from torhaus.identity.sealing import KeyRing
from torhaus.model.access import Access, Permission
from torhaus.model.announcement import Announcement
from torhaus.model.approval import Approval, State, Wanted
from torhaus.model.people import Phase, Principal
from torhaus.model.rules import Rules
from torhaus.store.memory import MemoryCache
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice

DAY = 86400.0
SERVERS = ("github", "jira", "*")


def permission(text: str, role: str = "") -> Permission:
    """`server:type:action`."""
    server, type_, action = text.split(":")
    return Permission(server, type_, action, f"{role}: {text}")


def access(*allows: str, denies: tuple[str, ...] = (), role: str = "") -> Mapping[str, Access]:
    """Server -> access, as the configuration compiles a role."""
    return {
        name: Access(
            allows=tuple(permission(a, role) for a in allows if a.split(":")[0] in ("*", name)),
            denies=tuple(permission(d, role) for d in denies if d.split(":")[0] in ("*", name)),
        )
        for name in SERVERS
    }


ROLES = {
    "developer": access("github:*:read", role="developer"),
    "tech_lead": access("github:*:*", role="tech_lead"),
    "jira_admin": access("jira:*:*", role="jira_admin"),
    "admin": access("*:*:*", role="admin"),
    "careful": access("github:*:*", denies=("github:*:delete",), role="careful"),
    "on_call": access("github:*:read", "github:*:write", role="on_call"),
    "empty": access(role="empty"),
}


def person(name: str, role: str, **changes: Any) -> Principal:
    made = Principal(
        id=f"{name}@example.org",
        email=f"{name}@example.org",
        phases=(Phase(roles=(role,), access=ROLES[role]),),
    )
    return msgspec.structs.replace(made, **changes)


ALICE = person("alice", "developer")
BOB = person("bob", "tech_lead", groups=("leads",))
CAROL = person("carol", "careful")
DANA = person("dana", "admin")
JANE = person("jane", "jira_admin")
MALLORY = person("mallory", "empty")
ANONYMOUS = person("anonymous", "admin", id="anonymous", email="anonymous")
EVERYBODY = (ALICE, BOB, CAROL, DANA, JANE, MALLORY, ANONYMOUS)

WANTED = Wanted(
    digest=b"d" * 32,
    requester=ALICE.id,
    email=ALICE.email,
    server="github",
    tool="merge_pull_request",
    arguments='{"n":1}',
    policy="merges",
    reason="merges need a second person",
    policy_version="v1",
)


def wanted(**changes: Any) -> Wanted:
    return msgspec.structs.replace(WANTED, **changes)


def key(who: Principal) -> str:
    """The key this person calls with."""
    return f"{who.id}-key"


def rules(*people: Principal, **changes: Any) -> Rules:
    known = {each.id: each for each in people or EVERYBODY}
    more = {
        "roles": tuple(ROLES),
        "role_access": ROLES,
        "policy_version": "v1",
        "keys": {digest(key(each)): each for each in known.values()},
        "key_numbers": {digest(key(each)): 1 for each in known.values()},
    }
    return Rules(version="1", principals=known, **{**more, **changes})


class Hall:
    """Admin and Requests over one database. `rules` and `clock` can be changed."""

    def __init__(self, office: StateOffice) -> None:
        self.office = office
        self.rules = rules()
        self.clock = Clock()
        self.ledger = MemoryLedger()
        self.told: list[Announcement] = []
        self.effects: list[Effect] = []
        self.hearing: list[Callable[[Effect], None]] = []
        numbers = itertools.count(1)
        self.means = Means(
            office=office,
            ledger=self.ledger,
            rules=lambda: self.rules,
            clock=self.clock,
            ids=lambda: f"adm_{next(numbers)}",
            announce=self.told.append,
        )
        self.links = DecisionLinks(sealer(), lambda: "https://gw.example.org")
        self.ways = ConnectLinks(sealer(), lambda: "https://gw.example.org")
        self.way = MemoryConnecting()
        self.requests = Requests(self.means, self.links)
        self.cache = MemoryCache()
        self.vault = MemoryVault()
        self.ring = KeyRing([b"k" * 32])
        self.safe = Safe(lambda _: self.ring, os.urandom)
        works = {
            **WORKS,
            **vaulting(self.safe),
            **connecting(self.safe),
            **INVITING_WORKS,
            **TEAM_WORKS,
            **SIGNIN_WORKS,
            PurgeCache: purging(lambda: self.cache),
            HoldRecords: holding(lambda: self.vault),
            ReleaseHold: releasing(lambda: self.vault),
            RestoreRecords: restoring(lambda: self.vault),
        }
        self.admin = Admin(self.means, self.happened, works)
        self.books = Books(office, lambda: self.rules)

    def happened(self, effect: Effect) -> None:
        self.effects.append(effect)
        for hear in self.hearing:
            hear(effect)
        if effect.approval is not None:
            self.requests.waiting.wake(effect.approval)

    def view(self, actor: Principal) -> View:
        return self.books.view(actor, self.clock())

    def without(self, *gone: Principal) -> None:
        """Take people out of the configuration."""
        self.rules = rules(*(each for each in EVERYBODY if each not in gone))

    def changed(self, who: Principal, role: str) -> None:
        """Give somebody another role."""
        others = (each for each in EVERYBODY if each.id != who.id)
        phases = (Phase(roles=(role,), access=ROLES[role]),)
        self.rules = rules(*others, msgspec.structs.replace(who, phases=phases))

    async def asked(self, **changes: Any) -> Approval:
        """A request for approval of Alice's merge."""
        return await self.requests.request(wanted(**changes), self.clock())

    async def done(self, actor: Principal, act: Any) -> Any:
        """The result of an act that must not be refused, and says what it has changed."""
        known = len(self.ledger.durable)
        found = await self.admin.perform(actor, act, "192.0.2.7")
        assert isinstance(found, Done), found
        assert {"before", "after"} <= self.parameters(known).keys()
        return found.result

    async def refused(self, actor: Principal, act: Any) -> Refusal:
        found = await self.admin.perform(actor, act, "192.0.2.7")
        assert isinstance(found, Refusal), found
        return found

    async def state(self, id: str) -> State:
        async with self.office.read() as desk:
            found = await desk.approvals.get(id)
        assert found is not None
        return found.state

    def ends(self) -> list[tuple[str, str, str]]:
        """Operation, user and status of every record."""
        return [(r.operation, r.user.email, r.result.status) for r in self.ledger.durable]

    def parameters(self, at: int = -1) -> dict[str, Any]:
        """What the record says besides."""
        found: dict[str, Any] = msgspec.json.decode(self.ledger.durable[at].parameters)
        return found


@asynccontextmanager
async def hall(home: Path, url: str | None = None) -> AsyncIterator[Hall]:
    """`url`: of a PostgreSQL; None for SQLite in `home`."""
    if url is None:
        furnish(home)
    database = Database(url, home)
    await database.open()
    made = Hall(StateOffice(database))
    try:
        yield made
    finally:
        await made.requests.close()
        await database.close()


async def until(holds: Callable[[], bool]) -> None:
    """Let others go on until something holds, for a minute at most."""
    for _ in range(60_000):
        if holds():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to that")


Story = Callable[[Hall], Any]


async def play(home: Path, story: Story) -> None:
    async with hall(home) as made:
        await story(made)
