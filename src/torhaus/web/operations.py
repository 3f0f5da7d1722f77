"""The pages that machines and people ask for the gateway's health."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from torhaus.audit.shape import timestamp
from torhaus.identity.identify import FORWARDED
from torhaus.model.networks import lies_in
from torhaus.model.publishing import NO_EVIDENCE, Evidence
from torhaus.model.rules import Rules
from torhaus.web.status import ServerState, page


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
    shared_up: Callable[[], bool] | None = None
    audit_lost: Callable[[], int] | None = None
    sinks: Callable[[], Mapping[str, str]] = dict
    """What is wrong with each sink of the audit log, in a few words; empty when nothing is."""
    evidence: Callable[[], Evidence] = lambda: NO_EVIDENCE
    files_trouble: Callable[[], str | None] = lambda: None
    confined: bool = True
    """Whether the kernel holds audit queries back, and not DuckDB alone."""

    def health(self, _request: Request) -> Response:
        # Byte for byte what the product text prints; JSONResponse would drop the blank.
        return Response('{"status": "healthy"}', media_type="application/json")

    def ready(self, _request: Request) -> Response:
        """503 only for what makes every call fail; a server that is down is told, not fatal."""
        audit = self.audit_healthy() or self.audit_lost is not None
        body = {
            "status": "ready" if audit else "not ready",
            "audit": self._audit(),
            "evidence": "ok" if self.evidence().trouble is None else DOUBTED,
            "state": "ok" if self.state_trouble() is None else STATE_DOWN,
            **self._files(),
            **self._shared(),
            **self._sinks(),
            "configuration": "ok" if self.config_trouble() is None else "refused: see the log",
            **_servers(self.states()),
        }
        return JSONResponse(body, status_code=200 if audit else 503)

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

    def status(self, _request: Request) -> Response:
        return HTMLResponse(
            page(
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
            ),
            headers=SAFE,
        )


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


SAFE = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}


AUDIT_DOWN = "the audit log cannot be written: calls are refused"


AUDIT_LOSES = "the audit log cannot be written: calls go on without records"


DOUBTED = "the proof of the audit log is not in order: run torhaus audit verify"


STATE_DOWN = "the state database does not answer: approvals and administration wait for it"


FILES_WAIT = "records cannot be moved or ended as configured, and stay where they are: see the log"


SHARED_DOWN = "it does not answer: each gateway goes on with a cache and limits of its own"


Page = Callable[[Request], Awaitable[Response]]


def application(operations: Operations, approval: Page) -> Starlette:
    """The ASGI application for the pages: everything that is neither `/mcp` nor the API.

    `approval`: where links to a request for approval lead.
    """
    return Starlette(
        routes=[
            Route("/approvals/{id}", approval, methods=["GET", "POST"]),
            Route("/health", operations.health),
            Route("/ready", operations.ready),
            Route("/metrics", operations.exposition),
            Route("/status", operations.status),
        ]
    )
