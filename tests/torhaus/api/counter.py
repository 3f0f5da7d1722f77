"""The API and the pages on a port, over real HTTP, with a database and hand-made people."""

import asyncio
import http.client
import json
import secrets
import socket
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from tests.torhaus.admin.hall import DANA, Hall, hall, key
from tests.torhaus.admin.ringed import Given
from torhaus.admin.acts import Effect, Refusal
from torhaus.admin.auditing import Reading
from torhaus.admin.inviting.desk import Invitations
from torhaus.admin.people.books import PeopleBooks
from torhaus.admin.pinning import Pinning
from torhaus.admin.rekeying import Rekeyed, Rekeying
from torhaus.admin.teams.books import TeamBooks
from torhaus.api.application import Stores, application
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller
from torhaus.audit.acts import Act
from torhaus.config.settings import Settings
from torhaus.edge.admission import Admission
from torhaus.gate import allowances
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.shelf import Shelf
from torhaus.model.health import UNUSED, Health
from torhaus.model.people import Principal
from torhaus.model.pins import Pin
from torhaus.model.ports import Remaining
from torhaus.model.usage import Used
from torhaus.model.vault import Kept
from torhaus.store.counters import MemoryCounters
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords
from torhaus.threshold import Entrance, Gatekeeper
from torhaus.web.approvals import Approvals
from torhaus.web.connect import Connect
from torhaus.web.front import Front
from torhaus.web.operations import Operations
from torhaus.web.operations import application as pages
from torhaus.web.render import Pages

PAGES = Pages()
SETTINGS = Settings(public_url="https://gw.example.org", allowed_origins=("https://ok.example",))


class Answer(msgspec.Struct):
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> tuple[int, str]:
        assert self.headers["content-type"] == "application/problem+json", self
        assert self.json["status"] == self.status
        return self.status, self.json["code"]

    @property
    def text(self) -> str:
        return self.body.decode()


class Counter:
    """Where requests are made."""

    def __init__(
        self, made: Hall, port: int, catalogue: Catalogue, healths: dict[str, Health]
    ) -> None:
        self.hall = made
        self.port = port
        self.catalogue = catalogue
        self.healths = healths

    async def ask(
        self,
        method: str,
        path: str,
        who: Principal | None = None,
        body: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`body`: bytes as they are, all else as JSON. `headers` go before the usual ones."""
        data = body if isinstance(body, bytes) else None if body is None else json.dumps(body)
        sent = {} if data is None else {"content-type": "application/json"}
        if who is not None:
            sent["authorization"] = f"Bearer {key(who)}"
        return await asyncio.to_thread(self._ask, method, path, data, {**sent, **(headers or {})})

    def _ask(
        self, method: str, path: str, data: bytes | str | None, headers: Mapping[str, str]
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=120)
        try:
            connection.request(method, path, data, dict(headers))
            found = connection.getresponse()
            named = {name.lower(): value for name, value in found.getheaders()}
            return Answer(found.status, named, found.read())
        finally:
            connection.close()

    async def get(self, path: str, who: Principal | None = None, **more: Any) -> Answer:
        return await self.ask("GET", f"/api/v1/{path}", who, **more)

    async def post(
        self, path: str, who: Principal | None = None, body: object = None, **more: Any
    ) -> Answer:
        return await self.ask("POST", f"/api/v1/{path}", who, body, **more)


@asynccontextmanager
async def counter(home: Path) -> AsyncIterator[Counter]:
    """Serves until the end of the context."""
    async with hall(home) as made:
        reading = Reading(made.means, SandboxRecords(AuditFiles(home / "audit").find), dict)
        bound = socket.create_server(("127.0.0.1", 0))
        catalogue = Catalogue()
        healths: dict[str, Health] = {}
        config = uvicorn.Config(
            _app(made, catalogue, reading, healths),
            log_config=None,
            lifespan="off",
            proxy_headers=False,
        )
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[bound]))
        try:
            yield Counter(made, bound.getsockname()[1], catalogue, healths)
        finally:
            server.should_exit = True
            await serving


def _app(made: Hall, catalogue: Catalogue, reading: Reading, healths: Mapping[str, Health]) -> Any:
    door = Gatekeeper(lambda: Admission(SETTINGS), lambda: made.rules)
    backstage = Backstage(
        admin=made.admin, books=made.books, rules=lambda: made.rules, clock=made.clock
    )
    decisions = Approvals(
        admin=made.admin,
        books=made.books,
        links=made.links,
        rules=lambda: made.rules,
        clock=made.clock,
        pages=PAGES,
        known=door.known,
    )
    made.hearing.append(lambda effect: _decided(catalogue, effect))
    shelf = Shelf(catalogue, Pinning(made.means, catalogue.pins, catalogue.decided).save)
    counters = MemoryCounters()

    async def left(caller: Caller) -> Sequence[Remaining]:
        now = made.clock()
        return await allowances.left(counters, made.rules, caller.principal, caller.key, now)

    async def used(month: str | None) -> tuple[str, list[Used]]:
        async with made.office.read() as desk:
            return month or "2026-09", await desk.usage.of(month or "2026-09")

    stores = Stores(
        lambda: made.cache,
        left,
        used,
        made.vault,
        reading,
        lambda server: healths.get(server.name, UNUSED),
        _people(made),
        TeamBooks(made.office, lambda: made.rules, made.clock),
        partial(_rows, made),
        partial(_rekeyed, made),
        _reset_link,
        _invitations(made),
    )
    front = Front(pages=PAGES, look=door.refusal, origin=lambda: SETTINGS.public_url)
    api = application(backstage, shelf, stores, door.admit, door.look)
    more = _connect(made, PAGES, door.known).routes(front)
    return Entrance(api, pages(_operations(made), decisions.page, front, more))


def _operations(made: Hall) -> Operations:
    return Operations(
        rules=lambda: made.rules,
        states=list,
        audit_healthy=lambda: True,
        config_trouble=lambda: None,
        state_trouble=lambda: None,
        metrics=lambda: (b"", "text/plain"),
        started="",
    )


def _people(made: Hall) -> PeopleBooks:
    return PeopleBooks(made.office, lambda: made.rules, made.clock)


def _connect(
    made: Hall, page_set: Pages, known: Callable[[bytes, str], Principal | None]
) -> Connect:
    return Connect(
        admin=made.admin,
        links=made.ways,
        way=made.way,
        rules=lambda: made.rules,
        clock=made.clock,
        pages=page_set,
        known=known,
        signed_in=_nobody,
        way_in=lambda _request: "",
    )


async def _nobody(_request: object) -> None:
    """Nobody has signed in."""


async def _rows(made: Hall) -> Sequence[Kept]:
    async with made.office.read() as desk:
        return await desk.vault.every(100)


async def _rekeyed(made: Hall, caller: Caller) -> Rekeyed | Refusal:
    rekeying = Rekeying(made.means, made.safe, Given(made), "here", lambda _: asyncio.sleep(0))
    return await rekeying.rekey(caller.principal, caller.ip)


def _decided(catalogue: Catalogue, effect: Effect) -> None:
    if isinstance(effect.result, Pin):
        catalogue.decided(effect.result)


async def _reset_link(caller: Caller, email: str, second_factor: bool) -> str | Refusal:
    """Dana may."""
    if caller.principal.email != DANA.email:
        return Refusal("not_allowed", "this needs an administrator", Act(operation="x"))
    return f"https://gw.example.org/reset/{email}-{second_factor}"


async def play(home: Path, story: Any) -> None:
    async with counter(home) as made:
        await story(made)


class NoPost:
    """There is no mail here."""

    async def send(self, *_: object) -> None:
        raise AssertionError


def _invitations(made: Hall) -> Invitations:
    return Invitations(
        made.admin,
        made.means,
        NoPost(),
        lambda: None,
        lambda: "https://gw.example.org",
        lambda: secrets.token_urlsafe(8),
    )
