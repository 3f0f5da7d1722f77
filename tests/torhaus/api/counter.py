"""The API and the pages on a port, over real HTTP, with a database and hand-made people."""

import asyncio
import http.client
import json
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import uvicorn

from tests.torhaus.admin.hall import Hall, hall, key
from torhaus.admin.acts import Effect
from torhaus.admin.auditing import Reading
from torhaus.admin.pinning import Pinning
from torhaus.annex import Gatekeeper, entrance
from torhaus.api.application import Stores, application
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller
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
from torhaus.store.counters import MemoryCounters
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords
from torhaus.web.approvals import Approvals
from torhaus.web.operations import Operations
from torhaus.web.operations import application as pages

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
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
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
        look=door.refusal,
    )
    operations = Operations(
        rules=lambda: made.rules,
        states=list,
        audit_healthy=lambda: True,
        config_trouble=lambda: None,
        state_trouble=lambda: None,
        metrics=lambda: (b"", "text/plain"),
        started="",
    )
    pinning = Pinning(made.means, catalogue.pins, catalogue.decided)
    made.hearing.append(lambda effect: _decided(catalogue, effect))
    shelf = Shelf(catalogue, pinning.save)
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
    )
    return entrance(
        application(backstage, shelf, stores, door.admit, door.look),
        pages(operations, decisions.page),
    )


def _decided(catalogue: Catalogue, effect: Effect) -> None:
    if isinstance(effect.result, Pin):
        catalogue.decided(effect.result)


async def play(home: Path, story: Any) -> None:
    async with counter(home) as made:
        await story(made)
