"""Accounts at identity providers, and who they are here, in the state database."""

from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.accounts import Link
from torhaus.store.state.persons import said, words
from torhaus.store.state.statements import put, select

_LINK = "issuer, subject, email, provider, groups, linked, seen"
_PUT = put("identities", _LINK, ["issuer", "subject"])
_GET = select("identities", _LINK, "issuer = :issuer AND subject = :subject")
_OF = select("identities", _LINK, "email = :email ORDER BY linked, issuer")
_REMOVE = text("DELETE FROM identities WHERE email = :email")


class StateIdentities:
    """The `IdentityDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, issuer: str, subject: str) -> Link | None:
        values = {"issuer": issuer, "subject": subject}
        found = (await self._connection.execute(_GET, values)).first()
        return None if found is None else _link(found)

    async def of(self, email: str) -> list[Link]:
        return [_link(row) for row in await self._connection.execute(_OF, {"email": email})]

    async def put(self, link: Link) -> None:
        values = {**msgspec.structs.asdict(link), "groups": said(link.groups)}
        await self._connection.execute(_PUT, values)

    async def remove(self, email: str) -> int:
        return (await self._connection.execute(_REMOVE, {"email": email})).rowcount


def _link(row: Row[Any]) -> Link:
    found = row._asdict()
    return Link(groups=words(found.pop("groups")), **found)
