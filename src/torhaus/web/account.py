"""`/me/security`: the own password, second factor and recovery codes."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from torhaus.admin.signin.devices import LASTS, Devices
from torhaus.admin.signin.own import NOT_THE_SAME, Own
from torhaus.model.ports import LedgerError, StateError
from torhaus.web.cookies import DEVICE, Cookies
from torhaus.web.me import DOWN, Asked
from torhaus.web.render import Pages
from torhaus.web.session import SignedIn
from torhaus.web.signing import factor_shown
from torhaus.web.translations import marked

HOME = "/me/security"
LASTING = ("begin", "drop", "codes")
"""What changes how he proves himself from now on, besides the password."""
TITLE = marked("Password and second factor")


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountPages:
    pages: Pages
    own: Own
    devices: Devices
    cookies: Cookies
    again: Asked

    async def page(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        """GET shows what there is; POST does what `do` says."""
        try:
            if request.method == "POST":
                return await self._do(request, who, form)
            return await self._shown(request, who)
        except (StateError, LedgerError):
            return self.pages.show(
                request, "message.html", 503, who=who, token=who.csrf, title=TITLE, text=DOWN
            )

    async def _do(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        acts = {
            "password": self._password,
            "begin": self._begin,
            "finish": self._finish,
            "drop": self._drop,
            "codes": self._codes,
        }
        act = acts.get(form.get("do", ""))
        if form.get("do") in LASTING:
            first = await self.again(who, HOME)
            if first is not None:
                return first
        return await (self._shown(request, who) if act is None else act(request, who, form))

    async def _begin(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        old, ip = form.get("old", ""), _ip(request)
        ticket, secret, why = await self.own.begin_factor(who.email, who.digest, old, ip)
        if why:
            return await self._shown(request, who, 422, why)
        return self._factor(request, who, ticket, secret)

    async def _drop(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        why = await self.own.drop_factor(who.principal, form.get("old", ""), _ip(request))
        return await self._after(request, who, why)

    async def _password(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        old, new = form.get("old", ""), form.get("password", "")
        if new != form.get("again", ""):
            return await self._shown(request, who, 422, NOT_THE_SAME)
        ip = _ip(request)
        why = await self.own.change_password(who.principal, who.family, old, new, ip)
        answer = await self._after(request, who, why)
        if not why:  # others that knew the old one are not known any more
            kept = self.cookies.read(request.scope, DEVICE) or ""
            fresh = self.devices.signed_in(kept, who.email)
            self.cookies.write(answer, request.scope, DEVICE, fresh, int(LASTS))
        return answer

    async def _finish(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        ticket, code, ip = form.get("ticket", ""), form.get("code", ""), _ip(request)
        codes, secret, why = await self.own.finish_factor(
            who.principal, who.digest, ticket, code, ip
        )
        if secret:
            return self._factor(request, who, ticket, secret, why)
        return await self._shown(request, who, 422, why) if why else self._kept(request, who, codes)

    async def _codes(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        ip = _ip(request)
        codes, why = await self.own.renew_codes(who.principal, form.get("old", ""), ip)
        return await self._shown(request, who, 422, why) if why else self._kept(request, who, codes)

    async def _after(self, request: Request, who: SignedIn, why: str) -> Response:
        return await self._shown(request, who, 422, why) if why else RedirectResponse(HOME, 303)

    async def _shown(
        self, request: Request, who: SignedIn, status: int = 200, trouble: str = ""
    ) -> Response:
        standing = await self.own.standing(who.email)
        return self.pages.show(
            request,
            "account.html",
            status,
            who=who,
            token=who.csrf,
            standing=standing,
            trouble=trouble,
        )

    def _factor(
        self, request: Request, who: SignedIn, ticket: str, secret: bytes, trouble: str = ""
    ) -> Response:
        shown = factor_shown(secret, who.email)
        return self.pages.show(
            request,
            "own_factor.html",
            422 if trouble else 200,
            who=who,
            token=who.csrf,
            ticket=ticket,
            trouble=trouble,
            **shown,
        )

    def _kept(self, request: Request, who: SignedIn, codes: tuple[str, ...]) -> Response:
        return self.pages.show(
            request, "codes.html", who=who, token=who.csrf, codes=codes, next=HOME
        )


def _ip(request: Request) -> str:
    return request.client.host if request.client is not None else ""
