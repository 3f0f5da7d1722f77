"""`/login/{provider}` and `/callback/{provider}`: off to an identity provider, and back."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from starlette.datastructures import QueryParams
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from torhaus.admin.signin.errands import Errand
from torhaus.admin.signin.outcome import Closed, Guest, Opened
from torhaus.admin.signin.parting import Leaving
from torhaus.admin.signin.travelling import UNKNOWN, Travelling
from torhaus.identity.keys import digest
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.signin import Arrival
from torhaus.web.forms import fields
from torhaus.web.lobby import Lobby
from torhaus.web.returning import invited, local
from torhaus.web.security import COMMON
from torhaus.web.translations import marked

MAX_ANSWER = 512 * 1024
"""Octets of a provider's form: a SAML response with many groups is large."""
TITLE = marked("You are not signed in")
TWICE = marked("The identity provider's answer has a parameter twice. Begin again.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrivals:
    lobby: Lobby
    travelling: Travelling
    leaving: Leaving
    description: Callable[[str, str], bytes | None]
    """Name of a provider and address of its answers -> our SAML metadata; None for others."""
    form: Callable[[Request], Awaitable[Response | None]]
    """The form of a directory, which nobody is sent to; None for others."""

    async def metadata(self, request: Request) -> Response:
        """What the administrator of a SAML provider gives it."""
        name = request.path_params["provider"]
        found = self.description(name, self._callback(request, name))
        if found is None:
            return self.lobby.pages.message(request, 404, TITLE, UNKNOWN)
        return Response(found, media_type="application/samlmetadata+xml", headers=COMMON)

    async def depart(self, request: Request) -> Response:
        """A link, not a form: browsers hold what a form leads to against the page's policy."""
        shown = await self.form(request)
        if shown is not None:
            return shown
        errand = Errand(
            next=local(request.query_params.get("next", "")),
            invitation=invited(request.query_params.get("invitation", "")),
        )
        return await self.leave(request, errand)

    async def leave(self, request: Request, errand: Errand) -> Response:
        name = request.path_params["provider"]
        cookie, fresh = self.lobby.known(request)
        guest = self.lobby.guest(request)
        guest = Guest(ip=guest.ip, agent=guest.agent, browser=digest(cookie))
        found = await self.travelling.depart(name, guest, errand, self._callback(request, name))
        if isinstance(found, Closed):
            return self._closed(request, found)
        answer: Response = RedirectResponse(found, 303)
        answer.headers["cache-control"] = "no-store"
        return self.lobby.remember(request, answer, cookie) if fresh else answer

    async def callback(self, request: Request) -> Response:
        name = request.path_params["provider"]
        if request.method == "POST":
            return await self._posted(request, name)
        query = _once(request.query_params)
        if query is None:
            return self.lobby.pages.message(request, 400, TITLE, TWICE)
        guest = self.lobby.guest(request)
        if "arrived" in query:
            return self._in(request, await self.travelling.pick_up(name, query["arrived"], guest))
        arrival, where = Arrival(query=query), self._callback(request, name)
        found = await self.travelling.land(name, query.get("state", ""), arrival, guest, where)
        return self._in(request, found)

    async def _posted(self, request: Request, name: str) -> Response:
        """By a form of the provider's page: without cookies, so the browser comes once more."""
        form = await fields(request, MAX_ANSWER)
        state = form.get("RelayState", form.get("state", ""))
        found = await self.travelling.drop_off(
            name,
            state,
            Arrival(form=form),
            self.lobby.guest(request),
            self._callback(request, name),
        )
        if isinstance(found, Closed):
            return self._closed(request, found)
        return RedirectResponse(f"/callback/{name}?arrived={found}", 303)

    async def logged_out(self, request: Request) -> Response:
        """OpenID Connect Back-Channel Logout 1.0, section 2.8: from the provider's server."""
        form = await fields(request, MAX_ANSWER)
        ip = self.lobby.guest(request).ip
        name, token = request.path_params["provider"], form.get("logout_token", "")
        headers = {**COMMON, "cache-control": "no-store"}
        try:
            done = bool(token) and await self.leaving.told(name, token, ip)
        except (StateError, LedgerError):
            return PlainTextResponse("try again later", 503, headers)
        return PlainTextResponse("" if done else "not valid", 200 if done else 400, headers)

    def _in(self, request: Request, found: Opened | Closed) -> Response:
        if isinstance(found, Closed):
            return self._closed(request, found)
        return self.lobby.let_in(request, found)

    def _closed(self, request: Request, closed: Closed) -> Response:
        return self.lobby.pages.show(
            request, "not_in.html", closed.status, title=TITLE, text=closed.text
        )

    def _callback(self, request: Request, name: str) -> str:
        return f"{self.lobby.base(request)}/callback/{name}"


def _once(query: QueryParams) -> dict[str, str] | None:
    """Each parameter, if none stands twice: which one was meant is not ours to guess."""
    found = dict(query)
    return found if len(found) == len(query.multi_items()) else None
