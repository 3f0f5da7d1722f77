"""Local accounts in the state database: hashes of passwords, second factors, recovery codes."""

from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.accounts import Password
from torhaus.store.state.persons import said, words
from torhaus.store.state.statements import put, select

_PASSWORD = "email, hash, second_factor, last_step, recovery, changed"  # noqa: S105 -- names of columns
_PUT = put("passwords", _PASSWORD, ["email"])
_GET = select("passwords", _PASSWORD, "email = :email")
_REMOVE = text("DELETE FROM passwords WHERE email = :email")
_STEP = text(
    "UPDATE passwords SET last_step = :step "
    "WHERE email = :email AND (last_step IS NULL OR last_step < :step)"
)
_SPEND = text("UPDATE passwords SET recovery = :left WHERE email = :email AND recovery = :before")


class StatePasswords:
    """The `PasswordDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, email: str) -> Password | None:
        found = (await self._connection.execute(_GET, {"email": email})).first()
        return None if found is None else _password(found)

    async def put(self, password: Password) -> None:
        values = {**msgspec.structs.asdict(password), "recovery": said(password.recovery)}
        await self._connection.execute(_PUT, values)

    async def remove(self, email: str) -> bool:
        return (await self._connection.execute(_REMOVE, {"email": email})).rowcount == 1

    async def step(self, email: str, step: int) -> bool:
        values = {"email": email, "step": step}
        return (await self._connection.execute(_STEP, values)).rowcount == 1

    async def spend(self, email: str, before: Password, recovery: tuple[str, ...]) -> bool:
        values = {"email": email, "before": said(before.recovery), "left": said(recovery)}
        return (await self._connection.execute(_SPEND, values)).rowcount == 1


def _password(row: Row[Any]) -> Password:
    found = row._asdict()
    factor = found.pop("second_factor")
    return Password(
        second_factor=None if factor is None else bytes(factor),
        recovery=words(found.pop("recovery")),
        **found,
    )
