"""`/connect/{server}`: where somebody connects his account at a server; `/connect/callback`."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

import msgspec
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from torhaus.admin.acts import Refusal
from torhaus.admin.connections import (
    JOURNEY,
    ConnectLinks,
    KeepConnection,
    SealError,
    Way,
    Wish,
    may_connect,
)
from torhaus.admin.perform import Admin
from torhaus.identity.credentials import Unclear, credential
from torhaus.model.connecting import Connecting
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, StateError, UpstreamError
from torhaus.model.rules import Rules
from torhaus.web.forms import fields
from torhaus.web.front import Front
from torhaus.web.render import Pages
from torhaus.web.translations import marked


@dataclass(frozen=True, slots=True, kw_only=True)
class Connect:
    """`known`: whose key this is, if it is good at a server now; `clock`: Unix seconds.

    `signed_in`: whoever this browser is signed in as. `way_in`: where to sign in
    and come back here, empty where nobody signs in.
    """

    admin: Admin
    links: ConnectLinks
    way: Connecting
    rules: Callable[[], Rules]
    clock: Callable[[], float]
    pages: Pages
    known: Callable[[bytes, str], Principal | None]
    signed_in: Callable[[Request], Awaitable[Principal | None]]
    way_in: Callable[[Request], str]

    def routes(self, front: Front) -> list[Route]:
        return [
            front.open_route("/connect/callback", self.callback),
            front.open_route("/connect/client.json", self.document),
            front.route("/connect/{server}", self.page, "GET", "POST"),
        ]

    async def page(self, request: Request) -> Response:
        """GET shows what is connected for whom, POST begins. A link alone does nothing."""
        token = request.query_params.get("t", "")
        try:
            wish = self.links.wish(token, self.clock())
        except SealError:
            return self.pages.message(request, 404, NO_LINK, NO_LINK_TEXT)
        if wish.server != request.path_params["server"]:
            return self.pages.message(request, 404, NO_LINK, NO_LINK_TEXT)
        if request.method == "POST":
            return await self._begin(request, token, wish)
        return await self._shown(request, token, wish)

    async def _shown(
        self, request: Request, token: str, wish: Wish, status: int = 200, trouble: str = ""
    ) -> Response:
        who = await self.signed_in(request)
        return self.pages.show(
            request,
            "connect.html",
            status,
            server=wish.server,
            email=wish.email,
            shared=wish.shared,
            form=self.links.form(token, self.clock()),
            signed_in=None if who is None else who.email,
            way_in=self.way_in(request),
            trouble=trouble,
            onward="",
            host="",
        )

    async def _begin(self, request: Request, token: str, wish: Wish) -> Response:
        posted = await fields(request)
        try:
            self.links.check_form(token, posted.get("form", ""), self.clock())
        except SealError:
            return await self._shown(request, token, wish, 400, NO_FORM)
        actor = await self._who(request, posted.get("key", ""), wish.server)
        if actor is None:
            return await self._shown(request, token, wish, 401, NO_KEY)
        server = self.rules().servers.get(wish.server)
        why = may_connect(actor, server, wish, self.clock())
        if why is not None or server is None:
            return await self._shown(request, token, wish, 403, why or NO_LINK_TEXT)
        try:
            journey = await self.way.depart(server, wish.scope, self.links.callback())
        except (UpstreamError, StateError) as error:
            return await self._shown(request, token, wish, 502, str(error))
        whose = Wish(wish.server, actor.id, wish.shared, wish.scope)
        way = Way(whose, dict(journey.private), actor.shown)
        return self._onward(request, way, journey.url)

    def _onward(self, request: Request, way: Way, url: str) -> Response:
        """A link, not a redirect: browsers hold a form's redirect to the page's own policy."""
        wish = way.wish
        page = self.pages.show(
            request,
            "connect.html",
            server=wish.server,
            email=wish.email,
            shared=wish.shared,
            form=None,
            signed_in=None,
            way_in="",
            trouble="",
            onward=url,
            host=urlsplit(url).netloc,
        )
        secure = self.links.callback().startswith("https://")
        page.set_cookie(
            _cookie(secure=secure),
            self.links.sealed(way, self.clock()),
            max_age=int(JOURNEY),
            secure=secure,
            httponly=True,
            samesite="lax",
        )
        return page

    async def document(self, request: Request) -> Response:
        """Who we are, for authorization servers that read it instead of registering clients."""
        where = self.links.document()
        if not where:
            return self.pages.message(request, 404, NO_LINK)
        known = {
            "client_id": where,
            "client_name": "Torhaus",
            "client_uri": where.removesuffix("/connect/client.json"),
            "redirect_uris": [self.links.callback()],
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            "token_endpoint_auth_method": "none",
        }
        return JSONResponse(known, headers={"cache-control": "public, max-age=3600"})

    async def callback(self, request: Request) -> Response:
        """Where authorization servers send browsers back to."""
        secure = self.links.callback().startswith("https://")
        name = _cookie(secure=secure)
        try:
            way = self.links.way(request.cookies.get(name, ""), self.clock())
        except SealError:
            return self.pages.message(request, 400, NOT_BEGUN, NOT_BEGUN_TEXT)
        done = await self._arrived(request, way)
        done.delete_cookie(name, secure=secure, httponly=True, samesite="lax")
        return done

    async def _arrived(self, request: Request, way: Way) -> Response:
        wish, rules = way.wish, self.rules()
        server, actor = rules.servers.get(wish.server), rules.principals.get(wish.email)
        query = dict(request.query_params.multi_items())
        if server is None or actor is None or len(query) != len(request.query_params.multi_items()):
            return self.pages.message(request, 400, NOT_BEGUN, NOT_BEGUN_TEXT)
        ip = request.client.host if request.client is not None else ""
        try:
            connected = await self.way.arrive(server, way.private, query)
            act = KeepConnection(wish=wish, connected=connected)
            who = msgspec.structs.replace(actor, shown=way.shown)
            done = await self.admin.perform(who, act, ip)
        except (UpstreamError, StateError, LedgerError) as error:
            return self.pages.message(request, 502, NOT_CONNECTED, str(error))
        if isinstance(done, Refusal):
            return self.pages.message(request, 403, NOT_CONNECTED, done.reason)
        return self.pages.message(request, 200, DONE, DONE_TEXT)

    async def _who(self, request: Request, key: str, server: str) -> Principal | None:
        """The browser's own session, or the key in the form or a header. Never anonymous."""
        who = await self.signed_in(request)
        if who is not None:
            return who
        found = key.strip().encode() if key.strip() else credential(request.headers.raw)
        if found is None or isinstance(found, Unclear):
            return None
        return self.known(found, server)


def _cookie(*, secure: bool) -> str:
    return "__Host-torhaus-connect" if secure else "torhaus-connect"


NO_LINK = marked("There is nothing to connect here")
NO_LINK_TEXT = marked("The link has ended, or is not whole. Make the call again to get a new one.")
NO_FORM = marked("The form is too old. Send it again.")
NO_KEY = marked("The key is not known.")
NOT_BEGUN = marked("This did not begin in this browser")
NOT_BEGUN_TEXT = marked("Open the link again, and finish within 15 minutes in the same browser.")
NOT_CONNECTED = marked("The account is not connected")
DONE = marked("Connected")
DONE_TEXT = marked("Go back to your program and make the call again. You can close this page.")
