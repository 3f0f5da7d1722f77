"""The pages that machines and people ask for the gateway's health."""

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute

from torhaus.audit.shape import timestamp
from torhaus.identity.identify import FORWARDED
from torhaus.model.networks import lies_in
from torhaus.model.ports import StateError
from torhaus.model.publishing import NO_EVIDENCE, Evidence
from torhaus.model.rules import Rules
from torhaus.model.stops import Stop
from torhaus.policy.stops import Shown, shown
from torhaus.web.front import Front, Page
from torhaus.web.preferences import preferences
from torhaus.web.render import Pages
from torhaus.web.session import SignedIn
from torhaus.web.status import Database, ServerState, context
from torhaus.web.translations import marked


async def stranger(_scope: Mapping[str, Any]) -> SignedIn | None:
    """Where nobody signs in through a browser."""
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Operations:
    """What these pages show, as functions of now.

    `audit_lost`: calls without a record, where calls go on while none can be written; else None.
    """

    rules: Callable[[], Rules]
    states: Callable[[], list[ServerState]]
    audit_healthy: Callable[[], bool]
    config_trouble: Callable[[], str | None]
    state_trouble: Callable[[], str | None]
    metrics: Callable[[], tuple[bytes, str]]
    started: str
    refuses: Callable[[], bool] = lambda: False
    """Whether keys and tokens of the state database are refused, as it does not answer."""
    shared_up: Callable[[], bool] | None = None
    audit_lost: Callable[[], int] | None = None
    sinks: Callable[[], Mapping[str, str]] = dict
    """What is wrong with each sink of the audit log, in a few words; empty when nothing is."""
    evidence: Callable[[], Evidence] = lambda: NO_EVIDENCE
    files_trouble: Callable[[], str | None] = lambda: None
    in_clear: Callable[[], bool] = lambda: False
    """Whether somebody beyond this machine was served without TLS."""
    overdue: Callable[[], int] = lambda: 0
    """Servers whose stored credentials are older than policy allows."""
    governed: Callable[[], bool] = lambda: True
    """Whether somebody is left who administers everything."""
    stops: Callable[[], Sequence[Stop]] = tuple
    who: Callable[[Mapping[str, Any]], Awaitable[SignedIn | None]] = stranger
    """Who has signed in in the browser of an ASGI scope. May raise StateError."""
    clock: Callable[[], float] = time.time
    confined: bool = True
    """Whether the kernel holds audit queries back, and not DuckDB alone."""

    def health(self, _request: Request) -> Response:
        # Byte for byte what the product text prints; JSONResponse would drop the blank.
        return Response('{"status": "healthy"}', media_type="application/json")

    def ready(self, _request: Request) -> Response:
        """503 only for what keeps callers out; a server that is down is told, not fatal."""
        audit = self.audit_healthy() or self.audit_lost is not None
        ready = audit and not self.refuses()
        body = {
            "status": "ready" if ready else "not ready",
            "audit": self._audit(),
            "evidence": "ok" if self.evidence().trouble is None else DOUBTED,
            "state": STATE[self._database()],
            **({} if self.governed() else {"administrators": NOBODY}),
            **self._files(),
            **self._shared(),
            **self._sinks(),
            "configuration": "ok" if self.config_trouble() is None else "refused: see the log",
            **_servers(self.states()),
        }
        return JSONResponse(body, status_code=200 if ready else 503)

    def _database(self) -> Database:
        if self.refuses():
            return Database.CLOSED
        return Database.WELL if self.state_trouble() is None else Database.LOST

    def _audit(self) -> str:
        if self.audit_healthy():
            return "ok"
        return AUDIT_DOWN if self.audit_lost is None else AUDIT_LOSES

    def _files(self) -> dict[str, str]:
        return {} if self.files_trouble() is None else {"audit_files": FILES_WAIT}

    def _shared(self) -> dict[str, str]:
        if self.shared_up is None:
            return {}
        return {"redis": "ok" if self.shared_up() else SHARED_DOWN}

    def _sinks(self) -> dict[str, dict[str, str]]:
        found = self.sinks()
        return {"sinks": {name: word or "ok" for name, word in found.items()}} if found else {}

    def exposition(self, request: Request) -> Response:
        peer = request.client.host if request.client is not None else ""
        proxied = any(name.decode() in request.headers for name in FORWARDED)
        if proxied or not lies_in(self.rules().metrics_networks, peer):
            text = "metrics are open to server.metrics_networks only"
            return JSONResponse({"error": text}, status_code=403)
        body, kind = self.metrics()
        return Response(body, media_type=kind)

    async def status(self, request: Request, pages: Pages) -> Response:
        who = await self._reader(request)
        return pages.show(
            request,
            "status.html",
            who=who,
            token=None if who is None else who.csrf,
            **context(
                self.states(),
                audit_healthy=self.audit_healthy(),
                audit_lost=None if self.audit_lost is None else self.audit_lost(),
                files_wait=self.files_trouble() is not None,
                config_refused=self.config_trouble() is not None,
                shared_lost=self.shared_up is not None and not self.shared_up(),
                late_sinks={name: word for name, word in self.sinks().items() if word},
                started=self.started,
                evidence=self.evidence(),
                confined=self.confined,
                in_clear=self.in_clear(),
                governed=self.governed(),
                overdue=self.overdue() > 0,
                database=self._database(),
                stops=self._stops(who),
            ),
        )

    async def _reader(self, request: Request) -> SignedIn | None:
        try:
            return await self.who(request.scope)
        except StateError:
            return None  # the page itself says that the database is silent

    def _stops(self, who: SignedIn | None) -> Sequence[Shown]:
        viewer = None if who is None else who.principal
        return shown(self.stops(), viewer, self.rules(), self.clock())


def _servers(states: list[ServerState]) -> dict[str, dict[str, Any]]:
    """What went wrong is for administrators: they ask the API."""
    found: dict[str, dict[str, Any]] = {"servers": {each.name: each.word for each in states}}
    unwell = {
        each.name: {
            "state": each.word,
            "since": None if each.since is None else timestamp(each.since),
            "next_try": None if each.next_try is None else timestamp(each.next_try),
        }
        for each in states
        if not each.well
    }
    return {**found, "unwell": unwell} if unwell else found


AUDIT_DOWN = "the audit log cannot be written: calls are refused"


AUDIT_LOSES = "the audit log cannot be written: calls go on without records"


DOUBTED = "the proof of the audit log is not in order: run torhaus audit verify"


STATE = {
    Database.WELL: "ok",
    Database.LOST: "the state database does not answer: approvals and administration wait for it",
    Database.CLOSED: "the state database does not answer: keys and tokens of it are refused",
}


NOBODY = "nobody who administers everything can come in: give somebody such a role in the file"


FILES_WAIT = "records cannot be moved or ended as configured, and stay where they are: see the log"


SHARED_DOWN = "it does not answer: each gateway goes on with a cache and limits of its own"


def application(
    operations: Operations, approval: Page, front: Front, more: Sequence[BaseRoute] = ()
) -> Starlette:
    """The ASGI application for the pages: everything that is neither `/mcp` nor the API.

    `approval`: where links to a request for approval lead. `more`: further pages.
    """
    pages = front.pages

    async def status(request: Request) -> Response:
        return await operations.status(request, pages)

    return Starlette(
        routes=[
            front.route("/approvals/{id}", approval, "GET", "POST"),
            front.route("/preferences", preferences, "POST"),
            front.route("/static/{version}/{name}", waiting(pages.static.serve)),
            front.machine_route("/health", waiting(operations.health), clear=True),
            front.machine_route("/ready", waiting(operations.ready)),
            front.machine_route("/metrics", waiting(operations.exposition)),
            front.route("/status", status),
            *more,
        ],
        exception_handlers={404: _said(pages, NOT_FOUND), 405: _said(pages, NOT_SO)},
    )


def waiting(page: Callable[[Request], Response]) -> Page:
    """A page that waits for nothing, as one of those that may."""

    async def answered(request: Request) -> Response:
        return page(request)

    return answered


def _said(pages: Pages, title: str) -> Callable[[Request, Exception], Response]:
    def handled(request: Request, error: Exception) -> Response:
        found = pages.message(request, getattr(error, "status_code", 500), title)
        found.headers.update(getattr(error, "headers", None) or {})
        return found

    return handled


NOT_FOUND = marked("There is no such page")
NOT_SO = marked("This page cannot be asked like that")
