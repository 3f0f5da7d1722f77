"""Sums of calls by month, in the state database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.usage import Use, Used

_ADD = text(
    "INSERT INTO usage (month, server, tool, email, roles, calls, saved) "
    "VALUES (:month, :server, :tool, :email, :roles, :calls, :saved) "
    "ON CONFLICT (month, server, tool, email, roles) DO UPDATE SET "
    "calls = usage.calls + excluded.calls, saved = usage.saved + excluded.saved"
)
_OF = text(
    "SELECT month, server, tool, email, roles, calls, saved FROM usage WHERE month = :month "
    "ORDER BY server, tool, email, roles"
)
_BY_TOOL = text(
    "SELECT month, server, tool, '' AS email, '' AS roles, SUM(calls) AS calls, "
    "SUM(saved) AS saved FROM usage WHERE month = :month GROUP BY month, server, tool "
    "ORDER BY server, tool"
)


class StateUsage:
    """The `UsageDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, used: Sequence[Used]) -> None:
        # In one order everywhere, so that two processes cannot wait for each other's rows.
        ordered = sorted(used, key=lambda each: _key(each.use))
        values = [
            {
                "month": each.use.month,
                "server": each.use.server,
                "tool": each.use.tool,
                "email": each.use.user,
                "roles": each.use.roles,
                "calls": each.calls,
                "saved": each.saved,
            }
            for each in ordered
        ]
        if values:
            await self._connection.execute(_ADD, values)

    async def of(self, month: str) -> list[Used]:
        rows = await self._connection.execute(_OF, {"month": month})
        return [_used(row) for row in rows]

    async def by_tool(self, month: str) -> list[Used]:
        rows = await self._connection.execute(_BY_TOOL, {"month": month})
        return [_used(row) for row in rows]


def _used(row: Row[Any]) -> Used:
    use = Use(row.month, row.server, row.tool, row.email, row.roles)
    return Used(use, int(row.calls), int(row.saved))  # PostgreSQL sums into decimals


def _key(use: Use) -> tuple[str, ...]:
    return (use.month, use.server, use.tool, use.user, use.roles)
