"""Invitations in the state database, by the digest of the token in their link."""

from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.accounts import Invitation
from torhaus.store.state.persons import said, words
from torhaus.store.state.statements import insert, select

_INVITATION = (
    "id, digest, email, state, roles, servers, message, access_ends, created, created_by, "
    "expires, decided_at, delivery"
)
_ADD = insert("invitations", _INVITATION)
_GET = select("invitations", _INVITATION, "id = :id")
_SENT = select("invitations", _INVITATION, "digest = :digest")
_NEWEST = select("invitations", _INVITATION, "1 = 1 ORDER BY created DESC, id LIMIT :most")
_DECIDE = text(
    "UPDATE invitations SET state = :state, decided_at = :now WHERE id = :id AND state = 'pending'"
)

_WAITING = select(
    "invitations", "id", "email = :email AND state = 'pending' AND expires > :now LIMIT 1"
)
_UNANSWERED = select(
    "invitations",
    "COUNT(*)",
    "created_by = :created_by AND state = 'pending' AND expires > :now",
)
_FORGET = text("DELETE FROM invitations WHERE expires < :before")
_RENEW = text(
    "UPDATE invitations SET digest = :digest, expires = :expires, created_by = :created_by, "
    "delivery = :delivery WHERE id = :id AND state = 'pending'"
)
_DELIVER = text("UPDATE invitations SET delivery = :delivery WHERE id = :id")


class StateInvitations:
    """The `InvitationDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, invitation: Invitation) -> None:
        lists = {"roles": said(invitation.roles), "servers": said(invitation.servers)}
        await self._connection.execute(_ADD, {**msgspec.structs.asdict(invitation), **lists})

    async def get(self, id: str) -> Invitation | None:
        found = (await self._connection.execute(_GET, {"id": id})).first()
        return None if found is None else _invitation(found)

    async def sent(self, digest: bytes) -> Invitation | None:
        found = (await self._connection.execute(_SENT, {"digest": digest})).first()
        return None if found is None else _invitation(found)

    async def newest(self, most: int) -> list[Invitation]:
        rows = await self._connection.execute(_NEWEST, {"most": most})
        return [_invitation(row) for row in rows]

    async def waiting(self, email: str, now: float) -> bool:
        found = await self._connection.execute(_WAITING, {"email": email, "now": now})
        return found.first() is not None

    async def unanswered(self, created_by: str, now: float) -> int:
        values = {"created_by": created_by, "now": now}
        return int((await self._connection.execute(_UNANSWERED, values)).scalar_one())

    async def forget(self, before: float) -> None:
        await self._connection.execute(_FORGET, {"before": before})

    async def renew(self, invitation: Invitation) -> bool:
        values = msgspec.structs.asdict(invitation)
        names = ("digest", "expires", "created_by", "delivery", "id")
        named = {name: values[name] for name in names}
        return (await self._connection.execute(_RENEW, named)).rowcount == 1

    async def deliver(self, id: str, delivery: str) -> None:
        await self._connection.execute(_DELIVER, {"id": id, "delivery": delivery})

    async def decide(self, id: str, state: str, now: float) -> bool:
        values = {"id": id, "state": state, "now": now}
        return (await self._connection.execute(_DECIDE, values)).rowcount == 1


def _invitation(row: Row[Any]) -> Invitation:
    found = row._asdict()
    lists: dict[str, Any] = {name: words(found.pop(name)) for name in ("roles", "servers")}
    return Invitation(digest=bytes(found.pop("digest")), **lists, **found)
