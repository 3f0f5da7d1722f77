"""`/me`: the own keys, sessions and consents, and how they end; `/me/servers`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from torhaus.admin.connected import ServerAccount
from torhaus.admin.people.acts import MakeKey
from torhaus.admin.signin.own import Own
from torhaus.admin.vaulting import RemoveCredential
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.rules import Rules
from torhaus.policy.scopes import permissions
from torhaus.policy.visible import may_use
from torhaus.web.render import Pages
from torhaus.web.session import SignedIn
from torhaus.web.translations import marked

DAY = 86400.0
LASTS: Mapping[str, float | None] = {"30": 30 * DAY, "90": 90 * DAY, "365": 365 * DAY, "": None}
"""What the form says, and for how many seconds a key is good."""
EVERYTHING = "everything"
DOWN = marked("The gateway cannot reach its database now. Try again later.")
TITLE = marked("Keys and sessions")
NO_PERMISSION = marked(
    "One of the permissions is none. Write them as github:read or github:issues:write, with spaces "
    "between."
)
NOTHING: Mapping[str, str] = MappingProxyType({})

FILLED = ("label", "server", "lasts", "scopes")
"""Fields of the form for a key."""

Asked = Callable[[SignedIn, str], Awaitable[Response | None]]
"""Where somebody goes first to prove who he is, and the page he comes back to; see `again.py`."""
Accounts = Callable[[Principal], Awaitable[Sequence[ServerAccount]]]
"""Servers that want an account of this person. Raises StateError."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Me:
    """`clock`: Unix seconds. `here`: where we are, as this browser calls us."""

    pages: Pages
    own: Own
    rules: Callable[[], Rules]
    clock: Callable[[], float]
    accounts: Accounts
    again: Asked
    here: Callable[[Request], str]

    async def page(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        """The form for a key is filled in with what the address says, see `make_key`."""
        del form
        typed = {name: request.query_params.get(name, "")[:2000] for name in FILLED}
        return await self._shown(request, who, typed={k: v for k, v in typed.items() if v})

    async def make_key(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        """Only for who has proved lately who he is; others do, and find the form filled in."""
        lasts = LASTS.get(form.get("lasts", ""), LASTS["30"])
        where = form.get("server", EVERYTHING)
        act = MakeKey(
            email=who.email,
            digest=b"",
            label=form.get("label", ""),
            scopes=tuple(form.get("scopes", "").replace(",", " ").split())[:20],
            audience=None if where == EVERYTHING else where,
            expires=None if lasts is None else self.clock() + lasts,
        )
        try:
            first = await self.again(who, _filled(form))
            if first is not None:
                return first
            key, why = await self.own.make_key(who.principal, act, _ip(request))
        except (StateError, LedgerError):
            return self._down(request, who)
        if why:
            return await self._shown(request, who, 422, _told(act, why), form)
        return self.pages.show(
            request, "key.html", who=who, token=who.csrf, key=key, label=act.label
        )

    async def end(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        ends = self.own.revoke_key if form.get("kind") == "key" else self.own.end_family
        try:
            why = await ends(who.principal, form.get("id", ""), _ip(request))
        except (StateError, LedgerError):
            return self._down(request, who)
        return await self._shown(request, who, 409, why) if why else RedirectResponse("/me", 303)

    async def servers(self, request: Request, who: SignedIn, form: Mapping[str, str]) -> Response:
        """POST forgets the account at a server."""
        try:
            if request.method == "POST":
                act = RemoveCredential(form.get("server", "")[:64], who.email)
                await self.own.perform(who.principal, act, _ip(request))
                return RedirectResponse("/me/servers", 303)
            found = await self.accounts(who.principal)
        except (StateError, LedgerError):
            return self._down(request, who)
        return self.pages.show(
            request,
            "servers.html",
            who=who,
            token=who.csrf,
            accounts=found,
            places=self._places(who),
            here=self.here(request),
        )

    async def _shown(
        self,
        request: Request,
        who: SignedIn,
        status: int = 200,
        trouble: str = "",
        typed: Mapping[str, str] = NOTHING,
    ) -> Response:
        try:
            found = await self.own.mine(who.email)
        except StateError:
            return self._down(request, who)
        return self.pages.show(
            request,
            "me.html",
            status,
            who=who,
            token=who.csrf,
            mine=found,
            trouble=trouble,
            typed=typed,
            places=self._places(who),
            roles=who.principal.roles(self.clock()),
        )

    def _places(self, who: SignedIn) -> list[str]:
        """Servers and virtual servers where he holds anything: others are not his to know of."""
        rules, now = self.rules(), self.clock()
        usable = [name for name, each in rules.servers.items() if may_use(who.principal, each, now)]
        views = [
            name
            for name, each in rules.views.items()
            if name and any(each.picks is None or server in each.picks for server in usable)
        ]
        return [*usable, *views]

    def _down(self, request: Request, who: SignedIn) -> Response:
        return self.pages.show(
            request, "message.html", 503, who=who, token=who.csrf, title=TITLE, text=DOWN
        )


def _filled(form: Mapping[str, str]) -> str:
    """The page with what was typed."""
    typed = {name: form[name] for name in FILLED if name in form}
    return f"/me?{urlencode(typed)}#new"


def _told(act: MakeKey, why: str) -> str:
    """Why there is no key. What is wrong with a permission is said with words of the file's."""
    try:
        permissions(act.scopes)
    except ValueError:
        return NO_PERMISSION
    return why


def _ip(request: Request) -> str:
    return request.client.host if request.client is not None else ""
