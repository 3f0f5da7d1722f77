"""The part of the house that is an authorization server for AI clients: composed here."""

import os
from collections.abc import Callable, Mapping

from starlette.routing import Route

from torhaus.admin.means import Means
from torhaus.admin.oauth.assertions import Assertions
from torhaus.admin.oauth.lookup import Lookup
from torhaus.admin.oauth.tidying import Tidying
from torhaus.admin.oauth.tokens import Tokens
from torhaus.admin.oauth.works import oauth_works
from torhaus.admin.perform import Admin, Work
from torhaus.config.settings import Settings
from torhaus.identity.oauth.origins import Origins
from torhaus.mcp.seal import Sealer
from torhaus.model.fetch import Fetch
from torhaus.model.oauth import AuthorizationServer
from torhaus.model.providers import OidcProvider
from torhaus.signin.oidc_documents import OidcDocuments
from torhaus.upstream.egress import Egress
from torhaus.upstream.wayout import WayOut
from torhaus.web.front import Front
from torhaus.web.oauth.application import routes
from torhaus.web.oauth.shared import OAuth, Sessions, SignIn


class Authority:
    """Owned by one event loop. `settings`: those in force; `port`: the one we listen on."""

    def __init__(
        self,
        means: Means,
        sealer: Sealer,
        settings: Callable[[], Settings],
        port: Callable[[], int],
        way_out: WayOut,
    ) -> None:
        self._means = means
        self._sealer = sealer
        self._settings = settings
        self._port = port
        self._way_out = way_out
        self._egress: Egress | None = None
        self._documents: dict[str, OidcDocuments] = {}

    @property
    def works(self) -> Mapping[type, Work]:
        return oauth_works(self.server)

    def server(self) -> AuthorizationServer:
        return self._settings().oauth

    def origins(self) -> Origins:
        return Origins(public_url=self._settings().public_url, port=self._port())

    async def run(self) -> None:
        """Until cancelled."""
        await Tidying(self._means.office, self._means.clock).run()

    def routes(
        self,
        admin: Admin,
        front: Front,
        sessions: Sessions,
        sign_in: SignIn,
        unknown: Callable[[str, str], None],
    ) -> list[Route]:
        """`unknown`: told of the address that sent a token nobody knows, and in which words."""
        means = self._means
        tokens = Tokens(
            admin=admin,
            office=means.office,
            rules=means.rules,
            server=self.server,
            clock=means.clock,
            random=os.urandom,
            unknown=unknown,
        )
        assertions = Assertions(
            admin=admin,
            office=means.office,
            rules=means.rules,
            server=self.server,
            clock=means.clock,
            random=os.urandom,
            documents=self._of,
        )
        lookup = Lookup(
            office=means.office, server=self.server, clock=means.clock, fetch=self._fetch
        )
        oauth = OAuth(
            server=self.server,
            origins=self.origins,
            rules=means.rules,
            clock=means.clock,
            random=os.urandom,
            admin=admin,
            lookup=lookup,
            tokens=tokens,
            assertions=assertions,
            sealer=self._sealer,
            sessions=sessions,
            sign_in=sign_in,
        )
        return routes(oauth, front)

    def _of(self, provider: OidcProvider) -> OidcDocuments:
        fetch = self._fetch()  # first: it forgets documents when the way out has changed
        found = self._documents.get(provider.issuer)
        if found is None:
            found = OidcDocuments(fetch, provider.issuer, provider.label)
            self._documents[provider.issuer] = found
        return found

    def _fetch(self) -> Fetch:
        """As the file allows it now."""
        fetch = self._way_out()
        if fetch is not self._egress:
            self._egress = fetch
            self._documents.clear()
        return fetch
