"""The API as one ASGI application, behind its door."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import ASGIApp, Scope

from torhaus import __version__
from torhaus.admin.auditing import Reading
from torhaus.admin.inviting.desk import Invitations
from torhaus.admin.people.books import PeopleBooks
from torhaus.admin.teams.books import TeamBooks
from torhaus.api import (
    access,
    approvals,
    audit,
    cache,
    costs,
    credentials,
    documentation,
    explain,
    invitations,
    keeping,
    keys,
    limits,
    passwords,
    people,
    servers,
    stops,
    teams,
    tools,
)
from torhaus.api.backstage import Backstage
from torhaus.api.door import Admit, Door, Turned, bug
from torhaus.api.problems import ProblemError, response
from torhaus.gate.shelf import Shelf
from torhaus.model.keeping import Vault
from torhaus.model.ports import Cache, LedgerError, StateError

ABOUT = (
    "Administration of a Torhaus gateway. Send `Authorization: Bearer KEY` with a key that also "
    "works for /mcp. Times are UTC. What goes wrong is application/problem+json with a sentence."
)


class Stores(msgspec.Struct, frozen=True):
    """What calls leave behind: kept answers, used budgets, sums by month, audit files, health."""

    cache: Callable[[], Cache]
    left: limits.Left
    used: costs.Read
    vault: Vault
    reading: Reading
    healths: servers.Healths
    people: PeopleBooks
    teams: TeamBooks
    secrets: credentials.Rows
    rekey: credentials.Rekey
    reset_link: passwords.ResetLink
    invitations: Invitations


def application(
    backstage: Backstage,
    shelf: Shelf,
    stores: Stores,
    admit: Admit,
    look: Callable[[Scope], Turned | None],
) -> ASGIApp:
    """Everything under /api, and what scripts delete under /cache."""
    app = FastAPI(
        title="Torhaus API",
        version=__version__,
        description=ABOUT,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
        exception_handlers=_PROBLEMS,
    )
    for routes in (
        approvals.router(backstage),
        access.requests(backstage),
        access.grants(backstage),
        access.me(backstage),
        tools.router(backstage, shelf),
        servers.router(backstage, shelf, stores.healths),
        cache.router(backstage, stores.cache),
        costs.router(backstage, stores.used),
        limits.router(stores.left),
        credentials.router(backstage, stores.secrets, stores.rekey),
        people.router(backstage, stores.people),
        teams.router(backstage, stores.teams),
        keys.keys(backstage, stores.people),
        keys.sessions(backstage, stores.people),
        stops.router(backstage, stores.people),
        explain.router(backstage, stores.people),
        passwords.router(stores.reset_link),
        invitations.router(backstage, stores.invitations),
        keeping.router(backstage, lambda: stores.vault),
        audit.router(stores.reading),
    ):
        app.include_router(routes, prefix="/api/v1")
    app.include_router(cache.outside(backstage))
    # Written when somebody asks, in a thread, and kept: it is half of what it takes to start.
    app.add_route(
        "/api/v1/openapi.json", lambda _: JSONResponse(app.openapi()), include_in_schema=False
    )
    app.add_route("/api/docs", lambda _: _documented(app.openapi()), include_in_schema=False)
    return Door(app, admit, look)


def _documented(schema: Mapping[str, Any]) -> Response:
    page = documentation.page(schema)
    return HTMLResponse(page, headers={"content-security-policy": documentation.POLICY})


def _problem(_request: Request, error: Exception) -> Response:
    if not isinstance(error, ProblemError):
        raise error
    return response(error)


def _unavailable(_request: Request, error: Exception) -> Response:
    what = "state" if isinstance(error, StateError) else "audit"
    fix = "ask your administrator: the gateway's log and /ready say more"
    return response(ProblemError(503, what, str(error), fix), {"retry-after": "5"})


def _bug(request: Request, _error: Exception) -> Response:
    return response(bug(request.scope))


def _http(_request: Request, error: Exception) -> Response:
    if not isinstance(error, HTTPException):
        raise error
    texts = {
        404: ("not_found", "there is nothing here", "see /api/docs"),
        405: ("method", "this cannot be done here", "see /api/docs"),
    }
    code, text, fix = texts.get(error.status_code, ("refused", str(error.detail), ""))
    return response(ProblemError(error.status_code, code, text, fix), error.headers)


def _invalid(_request: Request, error: Exception) -> Response:
    """What was sent is not repeated: it may be a secret in the wrong place."""
    if not isinstance(error, RequestValidationError):
        raise error
    found: list[Any] = list(error.errors())
    if any(each["type"] == "json_invalid" for each in found):
        return response(ProblemError(400, "invalid", "the body is not JSON", "send an object"))
    said = "; ".join(_sentence(each) for each in found[:5])
    return response(ProblemError(422, "invalid", said, "see /api/docs"))


def _sentence(error: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"][1:]) or str(error["loc"][0])
    return f"{where[:100]}: {error['msg']}"


_PROBLEMS: dict[Any, Any] = {
    ProblemError: _problem,
    StateError: _unavailable,
    LedgerError: _unavailable,
    HTTPException: _http,
    RequestValidationError: _invalid,
    Exception: _bug,
}
