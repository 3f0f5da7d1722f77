"""Questions about the audit log, and what comes of them."""

from collections.abc import Mapping
from typing import Any, Protocol

import msgspec


class Question(msgspec.Struct, frozen=True, kw_only=True):
    """One SELECT over the views `audit_logs` and `audit_records`.

    `parameters`: for `$name` in it. `first_day`, `last_day`: whole days of UTC outside of which
    no record is wanted (`2025-10-20`, both included; empty: from the beginning, to the end).
    `rows`, `octets`: how much of the answer is wanted. `seconds`: how long it may take.
    """

    sql: str
    parameters: Mapping[str, str | int | float | bool | None] = {}
    first_day: str = ""
    last_day: str = ""
    rows: int = 1000
    octets: int = 7 << 20
    seconds: float = 30.0


class Skipped(msgspec.Struct, frozen=True, kw_only=True):
    """Days that were left out. `why`: `cold`, `archive` or `unreachable`. `fix`: what to do."""

    days: tuple[str, ...]
    why: str
    fix: str

    @property
    def text(self) -> str:
        count = len(self.days)
        said = f"{count} day{'' if count == 1 else 's'} skipped: {self.why}"
        return f"{said}; {self.fix}" if self.fix else said


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """The answer. Cells are JSON: text, numbers, booleans, None, lists, objects.

    Times are text (`2025-10-20T14:23:11.234Z`), and so are numbers that JSON readers would round.
    `more`: rows were left out because of the question's bounds.
    """

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    more: bool = False
    seconds: float = 0.0
    skipped: tuple[Skipped, ...] = ()


class Unanswered(msgspec.Struct, frozen=True, kw_only=True):
    """No answer. `why`: a sentence.

    `code`: `refused` (it is none that may be asked), `failed` (the SQL has a mistake), `timeout`,
    `memory`, `too_large` (one row alone is), `busy` (too many at once), `unavailable`.
    """

    code: str
    why: str
    fix: str = ""


class Records(Protocol):
    """Whom questions are put to."""

    async def ask(self, question: Question) -> Table | Unanswered:
        """Takes as long as the question allows, and the time it waits for others before it."""
        ...
