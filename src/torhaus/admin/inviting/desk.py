"""Invitations from the wish to the letter: who is asked in, and how he hears of it."""

from collections.abc import Callable
from typing import Any

import msgspec

from torhaus.admin.acts import Done, Refusal
from torhaus.admin.inviting.acts import Invite, RenewInvitation
from torhaus.admin.inviting.deciding import MOST_WAITING
from torhaus.admin.inviting.letters import invitation_letter
from torhaus.admin.means import Means
from torhaus.admin.people.changing import PEOPLE
from torhaus.admin.perform import Admin
from torhaus.audit.shape import timestamp
from torhaus.identity.keys import digest
from torhaus.model.accounts import Invitation
from torhaus.model.letters import MailError, MailServer, Postman
from torhaus.model.people import Principal
from torhaus.policy.house import may

NO_MAIL = "not sent: no mail server is configured"


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation as somebody wants it. `lasts`: seconds. `link`: he takes it there himself."""

    email: str
    roles: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    message: str = ""
    lasts: float = 7 * 86400.0
    access_ends: float | None = None
    link: bool = False


class Asked(msgspec.Struct, frozen=True):
    """`link`: where it was asked for, or no mail is configured. Shown once, and kept nowhere."""

    invitation: Invitation
    link: str | None = None


class Invitations:
    """Methods raise StateError and LedgerError. `server`: the mail server of the rules in force.

    `origin`: where people reach us. `token`: a random one.
    """

    def __init__(
        self,
        admin: Admin,
        means: Means,
        postman: Postman,
        server: Callable[[], MailServer | None],
        origin: Callable[[], str | None],
        token: Callable[[], str],
    ) -> None:
        self._admin = admin
        self._means = means
        self._postman = postman
        self._server = server
        self._origin = origin
        self._token = token

    async def listed(self, who: Principal) -> list[Invitation]:
        """The newest first; none for those who may not invite."""
        if may(who, PEOPLE, self._means.clock()) is not None:
            return []
        async with self._means.office.read() as desk:
            return await desk.invitations.newest(MOST_WAITING)

    async def ask(self, who: Principal, wish: Wish, ip: str) -> Asked | Refusal:
        token = self._token()
        act = Invite(
            email=wish.email,
            digest=digest(token),
            roles=wish.roles,
            servers=wish.servers,
            message=wish.message,
            expires=self._means.clock() + wish.lasts,
            access_ends=wish.access_ends,
        )
        return await self._done(who, act, (token, ip), link=wish.link)

    async def again(
        self, who: Principal, id: str, lasts: float, ip: str, *, link: bool
    ) -> Asked | Refusal:
        token = self._token()
        act = RenewInvitation(id=id, digest=digest(token), expires=self._means.clock() + lasts)
        return await self._done(who, act, (token, ip), link=link)

    async def _done(
        self, who: Principal, act: Any, how: tuple[str, str], *, link: bool
    ) -> Asked | Refusal:
        done: Done | Refusal = await self._admin.perform(who, act, how[1])
        if isinstance(done, Refusal):
            return done
        made: Invitation = done.result
        where = f"{self._origin() or ''}/invite/{how[0]}"
        server = self._server()
        told = "" if link else await self._sent(server, made, where)
        if told:
            async with self._means.office.write() as desk:
                await desk.invitations.deliver(made.id, told)
        made = msgspec.structs.replace(made, delivery=told)
        return Asked(made, where if link or server is None else None)

    async def _sent(self, server: MailServer | None, made: Invitation, where: str) -> str:
        """What became of the letter. The invitation stands whatever that is."""
        if server is None:
            return NO_MAIL
        try:
            await self._postman.send(server, invitation_letter(made, where))
        except MailError as error:
            return f"failed: {error}"
        return f"sent {timestamp(self._means.clock())}"
