"""The part of the house where people and their programs come in: pages to sign in, OAuth."""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from starlette.routing import Route
from starlette.types import ASGIApp, Scope

from torhaus.admin.acts import Refusal
from torhaus.admin.connected import ServerAccount, connected
from torhaus.admin.connections import ConnectLinks
from torhaus.admin.inviting.desk import Invitations
from torhaus.admin.inviting.works import INVITING_WORKS
from torhaus.admin.means import Means
from torhaus.admin.perform import Admin, Work
from torhaus.admin.provisioning.books import ScimBooks
from torhaus.admin.provisioning.works import PROVISIONING_WORKS
from torhaus.admin.signin.alike import alike
from torhaus.admin.signin.rechecks import Rechecks
from torhaus.admin.signin.works import SIGNIN_WORKS
from torhaus.api.door import Caller, Turned
from torhaus.api.scim.application import ScimApplication
from torhaus.api.scim.door import ScimDoor
from torhaus.api.scim.resources import Resources
from torhaus.authority import Authority
from torhaus.config.settings import Settings
from torhaus.introductions import Introductions
from torhaus.mcp.seal import Sealer
from torhaus.model.people import Principal
from torhaus.model.ports import StateError
from torhaus.reception import Reception, Ways
from torhaus.upstream.wayout import WayOut
from torhaus.watch.smtp import SmtpPostman
from torhaus.web.front import Front
from torhaus.web.session import Index

Look = Callable[[Scope], Turned | None]


class Foyer:
    """Built inside the event loop. `settings`: those in force; `port`: the one we listen on."""

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
        self.introductions = Introductions(means.office, means.rules, settings, way_out)
        self._reception: Reception | None = None
        self._admin: Admin | None = None
        self._open = asyncio.Event()
        self.authority = Authority(means, sealer, settings, port, way_out)

    @property
    def works(self) -> Mapping[type, Work]:
        return {**SIGNIN_WORKS, **INVITING_WORKS, **PROVISIONING_WORKS, **self.authority.works}

    async def run(self) -> None:
        """Until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.authority.run())
            tasks.create_task(self._rechecks())
            tasks.create_task(self._alike())

    async def _alike(self) -> None:
        if self._settings().state_url is not None:
            with suppress(StateError):
                await alike(self._means.office, self._sealer, self._means.clock())

    async def _rechecks(self) -> None:
        await self._open.wait()
        if self._admin is not None:
            await Rechecks(self._means, self._admin, self.introductions.rechecking).run()

    def reception(self, admin: Admin, front: Front, live: Index) -> Reception:
        """Composed once, when there is a door to stand behind."""
        self._admin = admin
        self._open.set()
        if self._reception is None:
            ways = Ways(
                redirecting=self.introductions.redirecting,
                asking=self.introductions.asking,
                local=lambda: self._settings().local,
                hasher=self.introductions.hasher,
                description=self.introductions.description,
                within=lambda: self._settings().fresh_sign_in,
            )
            self._reception = Reception(
                self._means, admin, self._sealer, live, front, ways, self._accounts
            )
        return self._reception

    async def _accounts(self, who: Principal) -> Sequence[ServerAccount]:
        links = ConnectLinks(self._sealer, lambda: self.authority.origins().of(""))
        return await connected(self._means, links, who)

    def routes(
        self, admin: Admin, front: Front, reception: Reception, refused: Callable[[str, str], None]
    ) -> list[Route]:
        """`refused`: told of the address that sent what nobody knows, and in which words."""
        return [
            *reception.routes(),
            *self.authority.routes(admin, front, reception.sessions, reception.sign_in, refused),
        ]

    def invitations(self, admin: Admin) -> Invitations:
        """Where people are asked in."""
        means = self._means
        return Invitations(
            admin,
            means,
            SmtpPostman(),
            lambda: means.rules().mail,
            lambda: self.authority.origins().of(""),
            lambda: secrets.token_urlsafe(32),
        )

    def scim(self, admin: Admin, look: Look, refused: Callable[[str, str], None]) -> ASGIApp:
        """Where identity providers push people."""
        means = self._means
        door = ScimDoor(lambda: means.rules().scim, look, refused, means.clock)
        resources = Resources(admin, ScimBooks(means.office), means.clock)
        return ScimApplication(door, resources, lambda: self._settings().public_url)

    async def first_link(self, origin: str) -> str | None:
        """Where the first administrator is made, while there is none. Not for the log.

        Raises StateError.
        """
        if self._reception is None:
            return None
        token = await self._reception.links.setup()
        return None if token is None else f"{origin}/setup/{token}"

    async def reset_link(self, caller: Caller, email: str, second_factor: bool) -> str | Refusal:  # noqa: FBT001 -- the port's shape
        """Where somebody sets a new password. Raises StateError and LedgerError."""
        if self._reception is None:
            raise StateError("the gateway is not open yet")
        token, refusal = await self._reception.links.reset_link(
            caller.principal, email, caller.ip, second_factor=second_factor
        )
        return refusal or f"{self.authority.origins().of('')}/reset/{token}"
