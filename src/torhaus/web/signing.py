"""`/login`: a password with its code, or an identity provider; `/logout`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import segno
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from torhaus.admin.signin.errands import Errand
from torhaus.admin.signin.outcome import (
    Closed,
    CodeNeeded,
    FactorNeeded,
    Opened,
    Outcome,
)
from torhaus.admin.signin.parting import Leaving
from torhaus.admin.signin.typed import Typed
from torhaus.identity import totp
from torhaus.identity.keys import digest
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.providers import LdapProvider, Provider
from torhaus.model.signin import LocalAccounts
from torhaus.web.cookies import SESSION
from torhaus.web.forms import fields
from torhaus.web.lobby import Lobby
from torhaus.web.returning import invited, local
from torhaus.web.session import OLD, OLD_TEXT, SignedIn
from torhaus.web.translations import marked

DOWN = marked("The gateway cannot reach its database now. Try again later.")
NOT_OUT = marked("You are still signed in")
NOTHING = ("", "", "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signing:
    lobby: Lobby
    typed: Typed
    leaving: Leaving
    providers: Callable[[], Sequence[Provider]]
    local: Callable[[], LocalAccounts]

    async def login(self, request: Request) -> Response:
        wanted = local(request.query_params.get("next", ""))
        if await self.lobby.sessions.who(request.scope) is not None:
            return RedirectResponse(wanted, 303)
        return self._login(request, wanted)

    async def form(self, request: Request) -> Response | None:
        """Of the directory that the path names, as a provider's path leads to it; None for others.

        Whoever has signed in goes on, but not with an invitation: that takes another sign-in.
        """
        name, query = request.path_params["provider"], request.query_params
        if not any(
            isinstance(each, LdapProvider) and each.name == name for each in self.providers()
        ):
            return None
        invitation = query.get("invitation", "")[:128]
        if not invitation and await self.lobby.sessions.who(request.scope) is not None:
            return RedirectResponse(local(query.get("next", "")), 303)
        return self._login(request, local(query.get("next", "")), typed=(name, "", invitation))

    async def password(self, request: Request) -> Response:
        form = await fields(request)
        wanted = local(form.get("next", ""))
        if not self.lobby.own(request, form):
            return self._login(request, wanted, 403, OLD_TEXT)
        guest = self.lobby.guest(request)
        email, password = form.get("email", ""), form.get("password", "")
        directory, invitation = form.get("directory", ""), form.get("invitation", "")[:128]
        errand = Errand(next=wanted, invitation=invited(invitation))
        if directory:
            found = await self.typed.directory(directory, email, password, guest, errand)
        else:
            found = await self.typed.password(email, password, guest, errand)
        typed = (directory, email[:254], invitation)
        return self.followed(
            request, found, lambda closed: self._again(request, wanted, closed, typed)
        )

    async def code(self, request: Request) -> Response:
        form = await fields(request)
        if not self.lobby.own(request, form):
            return self.lobby.pages.message(request, 403, OLD, OLD_TEXT)
        ticket = form.get("ticket", "")
        found = await self.typed.code(ticket, form.get("code", ""), self.lobby.guest(request))
        return self.followed(request, found, lambda closed: self._code(request, ticket, closed))

    async def factor(self, request: Request) -> Response:
        form = await fields(request)
        guest = self.lobby.guest(request)
        if not self.lobby.own(request, form):
            return self.lobby.pages.message(request, 403, OLD, OLD_TEXT)
        ticket = form.get("ticket", "")
        found = await self.typed.factor(ticket, form.get("code", ""), guest)
        if isinstance(found, Closed) and found.status == 401:
            shown = await self.typed.showing(ticket, guest)
            if shown is not None:
                return self._factor(request, shown, found)
        return self.followed(request, found, lambda closed: self._again(request, "", closed))

    async def logout(self, request: Request, signed: SignedIn, form: Mapping[str, str]) -> Response:
        del form  # its token was looked at
        cookies = self.lobby.cookies
        cookie = cookies.read(request.scope, SESSION) or ""
        back, guest = f"{self.lobby.base(request)}/login", self.lobby.guest(request)
        try:
            where = await self.leaving.sign_out(
                signed.principal, signed.family, cookie, guest.ip, back
            )
        except (StateError, LedgerError):
            return self.lobby.pages.message(request, 503, NOT_OUT, DOWN)
        answer = self._out(request, where)
        cookies.drop(answer, request.scope, SESSION)
        return answer

    def _out(self, request: Request, where: str | None) -> Response:
        """A link leads to the provider: a form's answer must not, by the policy of the pages."""
        if where is None:
            return RedirectResponse("/login", 303)
        return self.lobby.pages.show(request, "signed_out.html", where=where)

    def followed(
        self, request: Request, found: Outcome, closed: Callable[[Closed], Response]
    ) -> Response:
        match found:
            case Opened():
                return self.lobby.let_in(request, found)
            case CodeNeeded():
                return self._code(request, found.token)
            case FactorNeeded():
                return self._factor(request, found)
            case Closed():
                answer = closed(found)
                if found.wait:
                    answer.headers["retry-after"] = str(int(found.wait) + 1)
                return answer

    def _again(
        self, request: Request, wanted: str, closed: Closed, typed: tuple[str, str, str] = NOTHING
    ) -> Response:
        return self._login(request, wanted, closed.status, closed.text, typed)

    def _login(
        self,
        request: Request,
        wanted: str,
        status: int = 200,
        trouble: str = "",
        typed: tuple[str, str, str] = NOTHING,
    ) -> Response:
        """`typed`: the directory (empty: accounts of Torhaus), the name, and an invitation."""
        providers = self.providers()
        return self._show(
            request,
            "login.html",
            status,
            next=wanted,
            trouble=trouble,
            chosen=typed[0],
            typed=typed[1],
            invitation=typed[2],
            away=[each for each in providers if not isinstance(each, LdapProvider)],
            directories=[each for each in providers if isinstance(each, LdapProvider)],
            accounts=self.local().enabled,
        )

    def _code(self, request: Request, ticket: str, closed: Closed | None = None) -> Response:
        status, trouble = (200, "") if closed is None else (closed.status, closed.text)
        return self._show(request, "code.html", status, ticket=ticket, trouble=trouble)

    def _factor(
        self, request: Request, needed: FactorNeeded, closed: Closed | None = None
    ) -> Response:
        status, trouble = (200, "") if closed is None else (closed.status, closed.text)
        shown = factor_shown(needed.secret, needed.email)
        return self._show(
            request, "factor.html", status, ticket=needed.token, trouble=trouble, **shown
        )

    def _show(self, request: Request, template: str, status: int, **context: Any) -> Response:
        """With a token that binds the form to this browser, which gets a cookie if it has none."""
        cookie, fresh = self.lobby.known(request)
        token = self.lobby.sessions.tokens.issue(digest(cookie))
        answer = self.lobby.pages.show(request, template, status, token=token, **context)
        return self.lobby.remember(request, answer, cookie) if fresh else answer


def factor_shown(secret: bytes, email: str) -> dict[str, str]:
    """The secret as a picture for the app, and as text."""
    made = segno.make(totp.address(secret, email, "Torhaus"), error="m", micro=False)
    return {"picture": made.svg_data_uri(border=0, dark="#000"), "secret": totp.shown(secret)}
