"""Statements that name the same columns in several places. Pure text; values are parameters."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import TextClause, text

NOWHERE = "\uffff"
"""In the place of NUL: no character, so that no text that is kept has it (Unicode 23.7)."""


def insert(table: str, columns: str, then: str = "") -> TextClause:
    """`columns`: their names, with commas; each is filled from the parameter of its name."""
    names = ", ".join(f":{name}" for name in columns.split(", "))
    return text(f"INSERT INTO {table} ({columns}) VALUES ({names}){then}")  # noqa: S608 -- constants


def put(table: str, columns: str, key: Sequence[str], then: str = "") -> TextClause:
    """Insert, or else change the row with the same key."""
    rest = [name for name in columns.split(", ") if name not in key]
    changed = ", ".join(f"{name} = excluded.{name}" for name in rest)
    return insert(table, columns, f" ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}{then}")


def select(table: str, columns: str, then: str) -> TextClause:
    return text(f"SELECT {columns} FROM {table} WHERE {then}")  # noqa: S608 -- constants


def without_nul(values: Sequence[Any]) -> tuple[Any, ...]:
    """Values of parameters as PostgreSQL takes them: a text with NUL is one that nobody has."""
    return tuple(
        each.replace("\0", NOWHERE) if isinstance(each, str) and "\0" in each else each
        for each in values
    )
