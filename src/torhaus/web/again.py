"""`/again`: somebody who has signed in proves once more who he is, before something that lasts."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from torhaus.admin.signin.acts import LOCAL
from torhaus.admin.signin.errands import Errand
from torhaus.admin.signin.outcome import Closed
from torhaus.admin.signin.proving import Proving
from torhaus.admin.signin.typed import Typed
from torhaus.model.ports import StateError
from torhaus.model.providers import LdapProvider, Provider
from torhaus.web.arrivals import Arrivals
from torhaus.web.lobby import Lobby
from torhaus.web.returning import local
from torhaus.web.session import SignedIn
from torhaus.web.signing import DOWN, Signing
from torhaus.web.translations import marked

TITLE = marked("Sign in again")
NO_WAY = marked("The way you have signed in is not there any more: sign out, and sign in anew.")


def again_url(return_to: str) -> str:
    """`return_to`: a path of ours, with its query."""
    return f"/again?next={quote(return_to, safe='')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Again:
    """He comes by the way he came before, as the same person, and gets another session for it."""

    lobby: Lobby
    proving: Proving
    typed: Typed
    signing: Signing
    arrivals: Arrivals
    providers: Callable[[], Sequence[Provider]]

    async def asked(self, who: SignedIn, back: str) -> Response | None:
        """Where he goes first, and comes back from to `back`; None if that is not needed.

        Raises StateError.
        """
        if await self.proving.lately(who.family):
            return None
        return RedirectResponse(again_url(back), 303)

    async def page(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        """POST has what was typed."""
        wanted = local(form.get("next", "") or request.query_params.get("next", ""))
        try:
            way = await self.proving.way(who.family)
        except StateError:
            return self._said(request, who, 503, DOWN)
        provider = next((each for each in self.providers() if each.name == way), None)
        if way is None or (provider is None and way != LOCAL):
            return self._said(request, who, 409, NO_WAY)
        if request.method == "POST" and (provider is None or isinstance(provider, LdapProvider)):
            return await self._proved(request, who, form, provider)
        return self._shown(request, who, provider, wanted)

    async def depart(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        """Off to an identity provider. A link, as to sign in."""
        del form
        wanted = local(request.query_params.get("next", ""))
        return await self.arrivals.leave(request, _errand(who, wanted))

    async def _proved(
        self,
        request: Request,
        who: SignedIn,
        form: Mapping[str, str],
        directory: LdapProvider | None,
    ) -> Response:
        wanted, password = local(form.get("next", "")), form.get("password", "")
        guest, errand = self.lobby.guest(request), _errand(who, wanted)
        if directory is None:
            found = await self.typed.password(who.email, password, guest, errand)
        else:
            user = form.get("user", "")
            found = await self.typed.directory(directory.name, user, password, guest, errand)
        return self.signing.followed(
            request, found, lambda closed: self._shown(request, who, directory, wanted, closed)
        )

    def _shown(
        self,
        request: Request,
        who: SignedIn,
        provider: Provider | None,
        wanted: str,
        closed: Closed | None = None,
    ) -> Response:
        """With a cookie for the browser: what is under way is bound to it."""
        cookie, fresh = self.lobby.known(request)
        answer = self.lobby.pages.show(
            request,
            "again.html",
            200 if closed is None else closed.status,
            who=who,
            token=who.csrf,
            next=wanted,
            trouble="" if closed is None else closed.text,
            provider=provider,
            typing=provider is None or isinstance(provider, LdapProvider),
        )
        return self.lobby.remember(request, answer, cookie) if fresh else answer

    def _said(self, request: Request, who: SignedIn, status: int, text: str) -> Response:
        return self.lobby.pages.show(
            request, "message.html", status, who=who, token=who.csrf, title=TITLE, text=text
        )


def _errand(who: SignedIn, wanted: str) -> Errand:
    return Errand(next=wanted, email=who.email, replaces=who.family)
