"""Who has signed in in this browser, and where somebody goes to do so."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from torhaus.identity.identify import CLOSED
from torhaus.identity.keys import SESSION as PREFIX
from torhaus.identity.keys import digest, well_formed
from torhaus.identity.shown import shown
from torhaus.model.credentials import Credential, CredentialKind
from torhaus.model.people import Principal
from torhaus.model.ports import StateError
from torhaus.model.rules import Rules
from torhaus.web.cookies import SESSION, Cookies
from torhaus.web.forms import fields
from torhaus.web.render import Pages
from torhaus.web.tokens import FormTokens
from torhaus.web.translations import marked

Page = Callable[[Request], Awaitable[Response]]
OLD = marked("The form is too old")
OLD_TEXT = marked("Go back, load the page again, and try once more. Nothing was changed.")


class Index(Protocol):
    """What this process knows of credentials, see `model.live.Live`."""

    until: float

    def find(self, digest: bytes) -> Credential | None: ...
    def worth_asking(self, digest: bytes, now: float, ip: str) -> bool: ...
    async def look(self, digest: bytes, ip: str) -> Credential | None: ...
    def unwelcome(self, email: str, credential: str, now: float) -> object | None: ...


class SignedIn(msgspec.Struct, frozen=True, kw_only=True):
    """`family`: the session's. `csrf`: what forms of this person carry as `token`."""

    email: str
    family: str
    csrf: str
    digest: bytes
    principal: Principal
    began: float


Private = Callable[[Request, SignedIn, Mapping[str, str]], Awaitable[Response]]
"""A page for somebody who has signed in; with the fields of the form, where one was posted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sessions:
    """`clock`: Unix seconds. `opened`: whether people sign in here at all, by whichever way."""

    live: Index
    rules: Callable[[], Rules]
    tokens: FormTokens
    cookies: Cookies
    pages: Pages
    clock: Callable[[], float]
    opened: Callable[[], bool]

    async def who(self, scope: Mapping[str, Any]) -> SignedIn | None:
        """None for everybody whose session is missing, over or ended, or who may not be here.

        Raises StateError while nobody can know.
        """
        cookie = self.cookies.read(scope, SESSION)
        if cookie is None or not well_formed(cookie, PREFIX):
            return None
        found = await self._credential(digest(cookie), _from(scope))
        if found is None:
            return None
        principal = self.rules().principals.get(found.email)
        if principal is None or self.live.unwelcome(found.email, found.id, self.clock()):
            return None
        if principal.expires is not None and principal.expires <= self.clock():
            return None
        return SignedIn(
            email=found.email,
            family=found.family,
            csrf=self.tokens.issue(found.digest),
            digest=found.digest,
            principal=msgspec.structs.replace(principal, shown=shown(found)),
            began=found.created,
        )

    async def signed_in(self, request: Request) -> Principal | None:
        """Whoever this browser is signed in as. Raises StateError."""
        found = await self.who(request.scope)
        return None if found is None else found.principal

    async def _credential(self, digest: bytes, ip: str) -> Credential | None:
        now = self.clock()
        if self.live.until <= now:
            raise StateError(CLOSED)
        found = self.live.find(digest)
        if found is None and self.live.worth_asking(digest, now, ip):
            found = await self.live.look(digest, ip)
        if found is None or found.kind is not CredentialKind.SESSION:
            return None
        return found if found.expires is None or now < found.expires else None

    def way_in(self, request: Request) -> str:
        """Where to sign in and come back to this very page; empty where nobody signs in."""
        url = request.url
        return login_url(f"{url.path}?{url.query}") if self.opened() else ""

    def own(self, signed: SignedIn, form: Mapping[str, str]) -> bool:
        """Whether the form is one that this session was shown."""
        return self.tokens.valid(form.get("token", ""), signed.digest)

    def private(self, page: Private) -> Page:
        """Sends others to sign in, and takes only forms that this session was shown."""

        async def shown(request: Request) -> Response:
            signed = await self.who(request.scope)
            if signed is None:
                return RedirectResponse(login_url(_here(request)), 303)
            if request.method != "POST":
                return await page(request, signed, {})
            form = await fields(request)
            if not self.own(signed, form):
                return self.pages.message(request, 403, OLD, OLD_TEXT)
            return await page(request, signed, form)

        return shown


def login_url(return_to: str) -> str:
    """`return_to`: a path of ours, with its query."""
    return f"/login?next={quote(return_to, safe='')}"


def _from(scope: Mapping[str, Any]) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _here(request: Request) -> str:
    if request.method != "GET":
        return "/me"
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")
