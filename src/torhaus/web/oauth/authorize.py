"""`/authorize`: the consent page comes first, then the sign-in, then the code.

In this order, or a link could let a stranger's program in while the victim's identity provider
answers silently (the confused deputy of MCP's security practices; CVE-2026-27124).
"""

from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from torhaus.admin.acts import Refusal
from torhaus.admin.oauth.acts import GiveConsent
from torhaus.identity.keys import RANDOM_BYTES, digest, mint
from torhaus.identity.oauth.asked import Asked, Told, Untold, back, destination, one, read, unaimed
from torhaus.model.oauth import Client
from torhaus.model.ports import LedgerError, StateError
from torhaus.web.forms import fields
from torhaus.web.oauth.consent import context, leads_to
from torhaus.web.oauth.replies import ip
from torhaus.web.oauth.shared import OAuth, SignedIn
from torhaus.web.oauth.tickets import SealError, Ticket, Tickets
from torhaus.web.render import Pages
from torhaus.web.translations import marked

CODE = "thc_"
MAX_QUERY = 32
ELSEWHERE = {"cache-control": "no-store", "referrer-policy": "no-referrer"}

NOBODY = marked("This program cannot sign in")
UNKNOWN = marked("Its client id is not known here. Start the sign-in in the program once more.")
OFF = marked("Nobody signs in from programs here: they need an API key.")
STALE = marked("This sign-in cannot go on")
OTHER = marked(
    "It was begun in another browser, took too long, or was finished already. Start it in the "
    "program once more."
)
ABSENT = marked("You are not signed in. Start the sign-in in the program once more.")
SWITCHED = marked(
    "You agreed under another name than the one you have signed in with. Start the sign-in in the "
    "program once more."
)
DOWN = marked("The gateway cannot keep this now. Try again later.")
NO_RESOURCE = "resource is missing: name the server, as in resource=%s/mcp/SERVER (RFC 8707)"
TOO_LONG = "the request is too long"


class Authorize:
    """The pages of `/authorize`."""

    def __init__(self, oauth: OAuth, pages: Pages) -> None:
        self._oauth = oauth
        self._pages = pages
        self._tickets = Tickets(oauth.sealer, oauth.random, oauth.clock)

    async def page(self, request: Request) -> Response:
        if not self._oauth.server().enabled:
            return self._pages.message(request, 404, NOBODY, OFF)
        try:
            if request.method == "POST":
                return await self._decided(request)
            return await self._asked(request)
        except (StateError, LedgerError):
            return self._pages.message(request, 503, STALE, DOWN)

    async def resume(self, request: Request) -> Response:
        """Where the login page leads back to: this browser must be the one that agreed."""
        if not self._oauth.server().enabled:
            return self._pages.message(request, 404, NOBODY, OFF)
        origin = self._oauth.origin(request)
        browser = self._tickets.held(request.cookies, origin)
        try:
            ticket = self._tickets.open(request.query_params.get("t", ""), "agreed", browser)
            who = await self._oauth.sessions.who(request.scope)
            if who is None:
                return self._pages.message(request, 401, STALE, ABSENT)
            first = self._oauth.sign_in(who, _resumed(request.query_params["t"]))
            if first is not None:
                return _away(first)
            return await self._given(request, ticket, who)
        except SealError:
            return self._pages.message(request, 400, STALE, OTHER)
        except (StateError, LedgerError):
            return self._pages.message(request, 503, STALE, DOWN)

    async def _asked(self, request: Request) -> Response:
        """Show the page, or say what is wrong: to the client only where it is known to be it."""
        oauth = self._oauth
        query = parse_qsl(request.url.query, keep_blank_values=True)[:MAX_QUERY]
        client = await oauth.lookup.find(one(query, "client_id") or "", ip(request))
        if client is None:
            return self._pages.message(request, 400, NOBODY, UNKNOWN)
        where = destination(query, client)
        if isinstance(where, Untold):
            return self._pages.message(request, 400, NOBODY, where.text)
        origin = oauth.origin(request)
        found = read(query, client, where, origin, oauth.names())
        if isinstance(found, Asked) and oauth.server().require_resource and unaimed(query):
            text = NO_RESOURCE % origin
            found = Told(code="invalid_target", text=text, redirect_uri=where, state=found.state)
        if isinstance(found, Told):
            return refused(found, origin)
        return await self._shown(request, client, found, origin)

    async def _shown(self, request: Request, client: Client, asked: Asked, origin: str) -> Response:
        who = await self._oauth.sessions.who(request.scope)
        email = None if who is None else who.email
        browser = self._tickets.browser(request.cookies, origin)
        ticket = Ticket(id=self._tickets.new_id(), asked=asked, origin=origin, email=email)
        sealed = self._tickets.seal(ticket, "asked", browser)
        if sealed is None:
            told = Told(
                code="invalid_request",
                text=TOO_LONG,
                redirect_uri=asked.redirect_uri,
                state=asked.state,
            )
            return refused(told, origin)
        found = self._pages.show(
            request,
            "consent.html",
            form_action=leads_to(asked.redirect_uri),
            ticket=sealed,
            **context(client, asked, email),
        )
        self._tickets.keep(found, browser, origin)
        return found

    async def _decided(self, request: Request) -> Response:
        origin = self._oauth.origin(request)
        browser = self._tickets.held(request.cookies, origin)
        sent = await fields(request)
        try:
            ticket = self._tickets.open(sent.get("ticket", ""), "asked", browser)
        except SealError:
            return self._pages.message(request, 400, STALE, OTHER)
        if sent.get("decision") != "allow":
            text = "the person did not agree"
            return sent_back(ticket, 303, error="access_denied", error_description=text)
        who = await self._oauth.sessions.who(request.scope)
        mine = who if who is not None and ticket.email == who.email else None
        agreed = self._tickets.seal(ticket, "agreed", browser or "")
        first = self._oauth.sign_in(mine, _resumed(agreed or ""))
        if first is None and mine is not None:
            return await self._given(request, ticket, mine)
        return _away(first or "/login")

    async def _given(self, request: Request, ticket: Ticket, who: SignedIn) -> Response:
        """The code, for who has agreed in this browser and has signed in in it."""
        oauth, asked = self._oauth, ticket.asked
        if ticket.email is not None and ticket.email != who.email:
            return self._pages.message(request, 400, STALE, SWITCHED)
        status = 303 if request.method == "POST" else 302
        client = await oauth.lookup.find(asked.client_id, ip(request))
        if client is None:
            return self._pages.message(request, 400, NOBODY, UNKNOWN)
        code = mint(oauth.random(RANDOM_BYTES), CODE)
        act = GiveConsent(
            id=ticket.id,
            client=client,
            asked=asked,
            session=who.family,
            code=digest(code),
            ip=ip(request),
        )
        done = await oauth.admin.perform(who.principal, act, ip(request))
        if isinstance(done, Refusal):
            return sent_back(ticket, status, error=done.code, error_description=done.reason)
        return sent_back(ticket, status, code=code)


def _resumed(agreed: str) -> str:
    return f"/authorize/resume?t={agreed}"


def _away(where: str) -> Response:
    return Response(status_code=303, headers={**ELSEWHERE, "location": where})


def sent_back(ticket: Ticket, status: int, **parameters: str) -> Response:
    """Straight to the client, without a page in between: programs wait for exactly this."""
    asked = ticket.asked
    url = back(asked.redirect_uri, ticket.origin, **parameters, state=asked.state)
    return Response(status_code=status, headers={**ELSEWHERE, "location": url})


def refused(told: Told, origin: str) -> Response:
    url = back(
        told.redirect_uri,
        origin,
        error=told.code,
        error_description=told.text,
        state=told.state,
    )
    return Response(status_code=302, headers={**ELSEWHERE, "location": url})
