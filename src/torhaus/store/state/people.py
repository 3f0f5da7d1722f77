"""Everything the state database holds about one person, and how it forgets who that was."""

import re
from re import Pattern
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection

COLUMNS: dict[str, tuple[str, ...]] = {
    "approvals": ("email", "requester", "decided_by"),
    "access_requests": ("email", "requester", "decided_by"),
    "grants": ("email", "granted_by", "revoked_by"),
    "tools": ("accepted_by",),
    "usage": ("email",),
    "persons": ("email", "created_by", "responsible"),
    "memberships": ("email",),
    "provisioned": ("email", "name", "external_id"),
    "invitations": ("email", "created_by"),
    "stops": ("target", "created_by", "lifted_by"),
    "credentials": ("email", "ended_by"),
    "families": ("email", "ended_by"),
    "identities": ("email",),
    "passwords": ("email",),
    "vault": ("email", "created_by", "account"),
}
"""Where people's addresses stand, by table. A test compares this with the tables there are."""

WITHIN: dict[str, tuple[str, ...]] = {
    "approvals": ("approvers", "arguments", "reason", "comment"),
    "access_requests": ("reason", "comment"),
    "provisioned": ("document",),
    "invitations": ("message",),
    "stops": ("reason",),
    "credentials": ("label",),
    "families": ("label", "reason"),
}
"""Texts and lists in which addresses may stand, by table: tables whose rows have an `id`."""


def _where(columns: tuple[str, ...]) -> str:
    return " OR ".join(f"lower({column}) = :email" for column in columns)


_FIND: dict[str, TextClause] = {
    table: text(f"SELECT * FROM {table} WHERE {_where(columns)}")  # noqa: S608 -- constants
    for table, columns in COLUMNS.items()
}
_RENAME: tuple[TextClause, ...] = tuple(
    text(f"UPDATE {table} SET {column} = :token WHERE lower({column}) = :email")  # noqa: S608 -- constants
    for table, columns in COLUMNS.items()
    for column in columns
)

_LOOK: dict[str, TextClause] = {
    table: text(
        f"SELECT id, {', '.join(columns)} FROM {table} WHERE "  # noqa: S608 -- constants
        + " OR ".join(f"lower({column}) LIKE :like" for column in columns)
    )
    for table, columns in WITHIN.items()
}
_WRITE: dict[tuple[str, str], TextClause] = {
    (table, column): text(f"UPDATE {table} SET {column} = :told WHERE id = :id")  # noqa: S608 -- constants
    for table, columns in WITHIN.items()
    for column in columns
}


async def about(connection: AsyncConnection, email: str) -> dict[str, list[dict[str, Any]]]:
    """The rows about somebody, by table. Octets are told as text, or in hexadecimal."""
    found: dict[str, list[dict[str, Any]]] = {}
    for table, query in _FIND.items():
        rows = await connection.execute(query, {"email": email.lower()})
        found[table] = [
            {name: _told(value) for name, value in row._asdict().items()} for row in rows
        ]
    return found


async def rename(connection: AsyncConnection, email: str, token: str) -> int:
    """Put a pseudonym wherever the address stands; returns in how many places it stood."""
    places = 0
    for statement in _RENAME:
        done = await connection.execute(statement, {"email": email.lower(), "token": token})
        places += done.rowcount
    for table in WITHIN:
        places += await _renamed_within(connection, table, email, token)
    return places


async def _renamed_within(connection: AsyncConnection, table: str, email: str, token: str) -> int:
    places, named = 0, _named(email)
    rows = await connection.execute(_LOOK[table], {"like": f"%{email.lower()}%"})
    for row in rows.fetchall():
        for column in WITHIN[table]:
            told, times = named.subn(f"\\g<1>{token}", getattr(row, column))
            if times:
                await connection.execute(_WRITE[table, column], {"told": told, "id": row.id})
                places += 1
    return places


def _named(email: str) -> Pattern[str]:
    """The address, but not the end of a longer one; `\\n` in JSON is the end of a line."""
    before = r"(\\[bfnrt]|\\u[0-9a-f]{4}|(?<![\w.%+-]))"
    return re.compile(rf"{before}{re.escape(email)}(?![\w-]|\.\w)", re.IGNORECASE)


def _told(value: Any) -> Any:
    if not isinstance(value, bytes | memoryview):
        return value
    raw = bytes(value)
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.hex()
