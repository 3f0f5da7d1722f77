"""The part of the house where people come in through a browser: composed here, and only here."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from torhaus.admin.means import Means
from torhaus.admin.perform import Admin
from torhaus.admin.signin.devices import Devices
from torhaus.admin.signin.entering import Entering
from torhaus.admin.signin.errands import Errands
from torhaus.admin.signin.links import OneTimeLinks
from torhaus.admin.signin.own import Own
from torhaus.admin.signin.parting import Leaving
from torhaus.admin.signin.proving import Proving
from torhaus.admin.signin.travelling import Travelling
from torhaus.admin.signin.typed import Typed
from torhaus.admin.throttle import Throttle
from torhaus.mcp.seal import Sealer
from torhaus.model.accounts import Hasher
from torhaus.model.signin import Asking, LocalAccounts, Redirecting
from torhaus.web.account import AccountPages
from torhaus.web.again import Again, again_url
from torhaus.web.arrivals import Arrivals
from torhaus.web.cookies import Cookies
from torhaus.web.front import Front
from torhaus.web.lobby import Lobby
from torhaus.web.me import Accounts, Asked, Me
from torhaus.web.oauth.shared import SignedIn as Came
from torhaus.web.one_time import OneTimePages
from torhaus.web.returning import HOME
from torhaus.web.session import Index, Sessions, login_url
from torhaus.web.signing import Signing
from torhaus.web.tokens import FormTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How people may sign in, of the rules in force. By the providers' names."""

    redirecting: Callable[[], Mapping[str, Redirecting]] = dict
    asking: Callable[[], Mapping[str, Asking]] = dict
    local: Callable[[], LocalAccounts]
    hasher: Hasher
    description: Callable[[str, str], bytes | None] = lambda _name, _callback: None
    within: Callable[[], float] = lambda: 0.0
    """Seconds that somebody's last proof of who he is may be old, before he makes what lasts."""


class Reception:
    """`live`: what this process knows of credentials."""

    def __init__(  # noqa: PLR0913 -- one argument for each thing it works with
        self,
        means: Means,
        admin: Admin,
        sealer: Sealer,
        live: Index,
        front: Front,
        ways: Ways,
        accounts: Accounts,
    ) -> None:
        self.front = front
        self.entering = Entering(admin, means, os.urandom)
        self.errands = Errands(sealer, os.urandom, means.clock)
        self.throttle = Throttle(means.clock)
        self.devices = Devices(sealer, os.urandom, means.clock)
        self.sessions = Sessions(
            live=live,
            rules=means.rules,
            tokens=FormTokens(sealer=sealer, clock=means.clock),
            cookies=Cookies(front.origin),
            pages=front.pages,
            clock=means.clock,
            opened=lambda: ways.local().enabled or bool(means.rules().providers),
        )
        self.lobby = Lobby(self.sessions, os.urandom)
        self.typed = Typed(
            self.entering,
            self.errands,
            sealer,
            ways.hasher,
            self.throttle,
            self.devices,
            ways.local,
            ways.asking,
        )
        self.travelling = Travelling(self.entering, self.errands, self.throttle, ways.redirecting)
        self.leaving = Leaving(self.entering, self.travelling, ways.redirecting)
        self.own = Own(admin, means, self.errands, sealer, ways.hasher, self.throttle, os.urandom)
        self.links = OneTimeLinks(
            admin, means, self.errands, ways.hasher, lambda: ways.local().enabled
        )
        self.proving = Proving(means.office, ways.within, means.clock)
        self._ways = ways
        self._accounts = accounts

    def sign_in(self, who: Came | None, back: str) -> str | None:
        """Where somebody signs in who lets a program in; who has done so lately need not."""
        if who is None:
            return login_url(back)
        return None if self.proving.signed_in_lately(who.began) else again_url(back)

    def routes(self) -> list[Route]:
        front, private = self.front, self.sessions.private
        signing = Signing(
            lobby=self.lobby,
            typed=self.typed,
            leaving=self.leaving,
            providers=lambda: self.entering.means.rules().providers,
            local=self._ways.local,
        )
        arrivals = Arrivals(
            lobby=self.lobby,
            travelling=self.travelling,
            leaving=self.leaving,
            description=self._ways.description,
            form=signing.form,
        )
        again = Again(
            lobby=self.lobby,
            proving=self.proving,
            typed=self.typed,
            signing=signing,
            arrivals=arrivals,
            providers=lambda: self.entering.means.rules().providers,
        )
        return [
            front.route("/", self._home),
            *self._mine(again.asked),
            front.route("/again", private(again.page), "GET", "POST"),
            front.route("/again/{provider}", private(again.depart)),
            *self._one_time(),
            front.route("/login", signing.login),
            front.route("/login", signing.password, "POST"),
            front.route("/login/code", signing.code, "POST"),
            front.route("/login/factor", signing.factor, "POST"),
            front.route("/login/{provider}", arrivals.depart),
            front.route("/saml/{provider}/metadata", arrivals.metadata),
            front.open_route("/callback/{provider}", arrivals.callback, "GET", "POST"),
            front.open_route("/backchannel-logout/{provider}", arrivals.logged_out, "POST"),
            front.route("/logout", private(signing.logout), "POST"),
        ]

    async def _home(self, _request: Request) -> Response:
        """Whoever types the address alone. Those who have not signed in go on to do so."""
        return RedirectResponse(HOME, 303)

    def _mine(self, again: Asked) -> list[Route]:
        front, private = self.front, self.sessions.private
        means = self.entering.means
        me = Me(
            pages=front.pages,
            own=self.own,
            rules=means.rules,
            clock=means.clock,
            accounts=self._accounts,
            again=again,
            here=self.lobby.base,
        )
        account = AccountPages(
            pages=front.pages,
            own=self.own,
            devices=self.devices,
            cookies=self.lobby.cookies,
            again=again,
        )
        return [
            front.route("/me", private(me.page)),
            front.route("/me/keys", private(me.make_key), "POST"),
            front.route("/me/end", private(me.end), "POST"),
            front.route("/me/servers", private(me.servers), "GET", "POST"),
            front.route("/me/security", private(account.page), "GET", "POST"),
        ]

    def _one_time(self) -> list[Route]:
        front = self.front
        pages = OneTimePages(
            lobby=self.lobby,
            links=self.links,
            providers=lambda: self.entering.means.rules().providers,
            local=self._ways.local,
        )
        return [
            front.route("/setup/{token}", pages.setup, "GET", "POST"),
            front.route("/reset/{token}", pages.reset, "GET", "POST"),
            front.route("/invite/{token}", pages.invite, "GET", "POST"),
        ]
