"""The part of the house that holds credentials for servers: keys, vault, and ways to use them."""

import asyncio
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from secrets import token_hex, token_urlsafe

from torhaus.admin.acts import Refusal
from torhaus.admin.connections import ConnectLinks, connecting, linking
from torhaus.admin.holding import Holding
from torhaus.admin.means import Means
from torhaus.admin.perform import Admin, Work
from torhaus.admin.rekeying import Rekeyed, Rekeying
from torhaus.admin.safe import Safe
from torhaus.admin.signin.vouching import vouching
from torhaus.admin.turns import Turns
from torhaus.admin.vaulting import Changed, vaulting
from torhaus.admin.wallet import MOST, Purse, rounds
from torhaus.api.door import Caller
from torhaus.config.settings import Settings
from torhaus.model.people import Principal
from torhaus.model.ports import StateError
from torhaus.model.providers import OidcProvider
from torhaus.model.servers import HttpAddress, Server
from torhaus.model.vault import Held, Kept
from torhaus.redact.guard import Guard
from torhaus.store.keyring import Ring
from torhaus.upstream.accounts import Way
from torhaus.upstream.oauth.connecting import Connecting
from torhaus.upstream.oauth.enterprise import Means as Ways
from torhaus.upstream.oauth.way import OAuthWay
from torhaus.upstream.stored import StoredWay
from torhaus.upstream.wayout import WayOut
from torhaus.web.connect import Connect
from torhaus.web.render import Pages
from torhaus.web.session import Sessions


class Strongroom:
    """Built inside the event loop. `forget(server, person)`: answers that were kept of a server."""

    def __init__(
        self,
        means: Means,
        settings: Settings,
        guard: Guard,
        links: ConnectLinks,
        forget: Callable[[str, str], None],
        way_out: WayOut,
    ) -> None:
        self.links = links
        self._means = means
        self._forget = forget
        self._guard = guard
        self._looking = set[asyncio.Task[None]]()
        ring = Ring(settings.data_dir, os.environ, os.urandom, self._keys_told)
        self.safe = Safe(ring.ring, os.urandom)
        id, shared = token_hex(8), settings.state_url is not None
        self.holding = Holding(means, ring, id=id, name=socket.gethostname(), shared=shared)
        self._rekeying = Rekeying(means, self.safe, ring, id)
        self.purse = Purse(means, self.safe, self._told)
        self._tokens = Ways(
            wallet=self.purse,
            fetch=way_out,
            clock=means.clock,
            ids=lambda: token_hex(16),
            provider=self._provider,
        )
        self._connecting = Connecting(self._tokens, lambda: token_urlsafe(48), links.document)
        self.link = linking(links, lambda: means.rules().servers, means.clock)

    @property
    def works(self) -> dict[type, Work]:
        return {**vaulting(self.safe), **connecting(self.safe), **vouching(self.safe)}

    def _keys_told(self, keys: list[str]) -> None:
        self._guard.lend("vault keys", keys)

    def _told(self, found: Sequence[Held]) -> None:
        """Any thread may say it."""
        personal: dict[str, list[str]] = {}
        shared: dict[str, list[str]] = {}
        for held in found:
            server, email = held.kept.server, held.kept.email
            name = f"vault:{server}:{email}" if email else f"vault:{server}"
            (personal if email else shared).setdefault(name, []).extend(held.content.secrets())
        for name, secrets in shared.items():
            self._guard.lend(name, secrets)
        self._guard.lend_personal(personal)

    def _provider(self, name: str) -> OidcProvider | None:
        found = (each for each in self._means.rules().providers if each.name == name)
        return next((each for each in found if isinstance(each, OidcProvider)), None)

    def way(self, server: Server) -> Way | None:
        """Where the credential of a server comes from; None where it stands in the file."""
        address = server.address
        if not isinstance(address, HttpAddress):
            return None
        if address.oauth is not None:
            return OAuthWay(server, address.url, address.oauth, self._tokens)
        return StoredWay(server.name, self.purse) if address.stored else None

    def connect(
        self,
        admin: Admin,
        pages: Pages,
        known: Callable[[bytes, str], Principal | None],
        sessions: Sessions,
    ) -> Connect:
        """The pages on which people connect accounts."""
        return Connect(
            admin=admin,
            links=self.links,
            way=self._connecting,
            rules=self._means.rules,
            clock=self._means.clock,
            pages=pages,
            known=known,
            signed_in=sessions.signed_in,
            way_in=sessions.way_in,
        )

    async def run(self) -> None:
        """Until cancelled."""
        turns = Turns(1.0, failed="vault.keys.untold", bug="vault.keys.failed")
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(rounds(self.purse, asyncio.sleep))
            tasks.create_task(turns.run(lambda _: self.holding.turn()))
            turns.ask()

    async def close(self) -> None:
        with suppress(StateError):  # it is forgotten by itself a little later
            await self.holding.close()

    def changed(self, done: Changed) -> None:
        """A credential was changed here: what was kept under the former one goes with it."""
        self.purse.forget()
        self._forget(done.server, done.email)
        if done.current is not None:
            looking = asyncio.get_running_loop().create_task(self._look(done.server, done.email))
            self._looking.add(looking)
            looking.add_done_callback(self._looking.discard)

    async def _look(self, server: str, email: str) -> None:
        """Nobody may have used it when it is repeated somewhere."""
        with suppress(StateError):  # the rounds do it a little later
            await self.purse.look(server, email)

    async def rows(self) -> Sequence[Kept]:
        async with self._means.office.read() as desk:
            return await desk.vault.every(MOST)

    async def rekey(self, caller: Caller) -> Rekeyed | Refusal:
        return await self._rekeying.rekey(caller.principal, caller.ip)
