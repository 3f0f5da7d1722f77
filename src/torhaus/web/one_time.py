"""Pages behind one-time links: `/setup/{token}`, `/reset/{token}`, `/invite/{token}`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from torhaus.admin.signin.first import SETUP
from torhaus.admin.signin.links import OVER, NewPassword, OneTimeLinks
from torhaus.admin.signin.passwords import RESET
from torhaus.identity.keys import digest
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.providers import LdapProvider, Provider
from torhaus.model.signin import LocalAccounts
from torhaus.web.forms import fields
from torhaus.web.lobby import Lobby
from torhaus.web.me import DOWN
from torhaus.web.session import OLD_TEXT
from torhaus.web.translations import marked

NO_LINK = marked("This link is not valid")
READY = marked("You can sign in now")
MADE = marked("Your account is ready. Sign in with your address and the password you have chosen.")
CHANGED = marked("The password is set, and all sessions have ended. Sign in with the new one.")

Shown = dict[str, Any]
Form = Mapping[str, str]
Look = Callable[[str], Awaitable[Shown | None]]
"""What the template shows of a token's link; None where it is over."""
Act = Callable[[str, Form, str], Awaitable[tuple[str, str]]]
"""Token, form, address -> why it was refused, and what is said where it was not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OneTimePages:
    """A link only shows a form: looking at it uses nothing up, as mail programs look too."""

    lobby: Lobby
    links: OneTimeLinks
    providers: Callable[[], Sequence[Provider]]
    local: Callable[[], LocalAccounts]

    async def setup(self, request: Request) -> Response:
        return await self._page(request, self._setup, self._first)

    async def reset(self, request: Request) -> Response:
        return await self._page(request, self._reset, self._renew)

    async def invite(self, request: Request) -> Response:
        return await self._page(request, self._invite, self._accept)

    async def _page(self, request: Request, look: Look, act: Act) -> Response:
        token = request.path_params["token"]
        try:
            shown = await look(token)
            if shown is None:
                return self.lobby.pages.message(request, 404, NO_LINK, OVER)
            if request.method != "POST":
                return self._form(request, shown, 200, "")
            form = await fields(request)
            if not self.lobby.own(request, form):
                return self._form(request, {**shown, "typed": form}, 403, OLD_TEXT)
            why, done = await act(token, form, self.lobby.guest(request).ip)
        except (StateError, LedgerError):
            return self.lobby.pages.message(request, 503, NO_LINK, DOWN)
        if why:
            return self._form(request, {**shown, "typed": form}, 422, why)
        return self.lobby.pages.show(request, "ready.html", title=READY, text=done)

    def _form(self, request: Request, shown: Shown, status: int, trouble: str) -> Response:
        cookie, fresh = self.lobby.known(request)
        token = self.lobby.sessions.tokens.issue(digest(cookie))
        answer = self.lobby.pages.show(
            request, "one_time.html", status, token=token, trouble=trouble, **shown
        )
        return self.lobby.remember(request, answer, cookie) if fresh else answer

    async def _setup(self, token: str) -> Shown | None:
        found = await self.links.opens(SETUP, token)
        return None if found is None else _shown(kind="setup")

    async def _reset(self, token: str) -> Shown | None:
        found = await self.links.opens(RESET, token)
        return None if found is None else _shown(kind="reset", email=found.email)

    async def _invite(self, token: str) -> Shown | None:
        found = await self.links.invited(token)
        if found is None:
            return None
        away = [each for each in self.providers() if not isinstance(each, LdapProvider)]
        return _shown(
            kind="invite",
            email=found.email,
            by=found.created_by,
            message=found.message,
            ends=found.access_ends,
            away=away,
            directories=[each for each in self.providers() if isinstance(each, LdapProvider)],
            invitation=token,
            accounts=self.local().enabled,
        )

    async def _first(self, token: str, form: Form, ip: str) -> tuple[str, str]:
        email, name = form.get("email", ""), form.get("name", "")
        return await self.links.first(token, email, name, _typed(form), ip), MADE

    async def _renew(self, token: str, form: Form, ip: str) -> tuple[str, str]:
        return await self.links.reset(token, _typed(form), ip), CHANGED

    async def _accept(self, token: str, form: Form, ip: str) -> tuple[str, str]:
        return await self.links.accept(token, _typed(form), ip), MADE


def _typed(form: Form) -> NewPassword:
    return NewPassword(form.get("password", ""), form.get("again", ""))


def _shown(**context: Any) -> Shown:
    empty: Shown = {
        "email": "",
        "by": "",
        "message": "",
        "ends": None,
        "away": [],
        "directories": [],
        "invitation": "",
        "accounts": True,
        "typed": {},
    }
    return {**empty, **context}
