"""The ways in that the file names: identity providers, built for the rules in force."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from importlib import import_module

from torhaus.config.settings import Settings
from torhaus.model.desk import Office
from torhaus.model.providers import LdapProvider, OidcProvider, Provider, SamlProvider
from torhaus.model.rules import Rules
from torhaus.model.signin import Asking, Described, Rechecking, Redirecting
from torhaus.signin.ldap import LdapSignIn
from torhaus.signin.local import Argon2
from torhaus.signin.oidc import OidcSignIn
from torhaus.signin.saml_keys import pair
from torhaus.store.saml_key import saml_pair
from torhaus.upstream.egress import Egress
from torhaus.upstream.wayout import WayOut


class Introductions:
    """Owned by one event loop. A provider is built once and kept while the file says the same."""

    def __init__(
        self,
        office: Office,
        rules: Callable[[], Rules],
        settings: Callable[[], Settings],
        way_out: WayOut,
    ) -> None:
        self._office = office
        self._rules = rules
        self._settings = settings
        self.hasher = Argon2()
        self._built: dict[str, tuple[Provider, Redirecting]] = {}
        self._directories: dict[str, tuple[LdapProvider, LdapSignIn]] = {}
        self._way_out = way_out
        self._egress: Egress | None = None

    def redirecting(self) -> Mapping[str, Redirecting]:
        fetch = self._fetch()  # first: what was built goes when the way out has changed
        before, self._built = self._built, {}
        for each in self._rules().providers:
            if isinstance(each, LdapProvider):
                continue
            known = before.get(each.name)
            same = known is not None and known[0] == each
            built = known[1] if known is not None and same else self._redirecting(each, fetch)
            self._built[each.name] = (each, built)
        return {name: built for name, (_, built) in self._built.items()}

    def asking(self) -> Mapping[str, Asking]:
        before, self._directories = self._directories, {}
        for each in self._rules().providers:
            if isinstance(each, LdapProvider):
                known = before.get(each.name)
                same = known is not None and known[0] == each
                built = known[1] if known is not None and same else LdapSignIn(each)
                self._directories[each.name] = (each, built)
        return {name: built for name, (_, built) in self._directories.items()}

    def rechecking(self) -> Mapping[str, Rechecking]:
        """Those that tell nobody when somebody leaves, and are asked again."""
        self.asking()  # as the file says now
        return {name: built for name, (_, built) in self._directories.items()}

    def description(self, name: str, callback: str) -> bytes | None:
        """Our SAML metadata, for the administrator of a provider. None: it is none of SAML."""
        found: object = self.redirecting().get(name)
        return found.description(callback) if isinstance(found, Described) else None

    def _redirecting(self, provider: OidcProvider | SamlProvider, fetch: Egress) -> Redirecting:
        if isinstance(provider, OidcProvider):
            return OidcSignIn(provider, fetch, lambda: self._keeps(provider.name))
        key, certificate = provider.key, provider.certificate
        if key is None or certificate is None:
            made = saml_pair(self._settings().data_dir, datetime.now(UTC), pair)
        else:
            made = (key.reveal(), certificate)
        # Its libraries are an extra; the configuration has said so where they are missing.
        saml = import_module("torhaus.signin.saml")
        found: Redirecting = saml.SamlSignIn(provider, fetch, self._once, *made)
        return found

    def _keeps(self, provider: str) -> bool:
        """Whether a server lets people in on its word."""
        return any(each.vouched == provider for each in self._rules().servers.values())

    async def _once(self, source: str, id: str, expires: float) -> bool:
        async with self._office.write() as desk:
            await desk.seen.sweep(time.time())
            return await desk.seen.first(source, id, expires)

    def _fetch(self) -> Egress:
        """As the file allows it now."""
        fetch = self._way_out()
        if fetch is not self._egress:
            self._egress = fetch
            self._built = {}
        return fetch
