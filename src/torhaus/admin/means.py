"""What the acts of this room work with."""

from collections.abc import Callable
from dataclasses import dataclass

from torhaus.model.announcement import Announcement
from torhaus.model.desk import Office
from torhaus.model.ports import Ledger
from torhaus.model.record import Record
from torhaus.model.rules import Rules
from torhaus.redact.guard import SHAPES, Guard


@dataclass(frozen=True, slots=True, kw_only=True)
class Means:
    """`clock`: Unix seconds. `ids`: fresh ids. `announce`: takes news for people, at once.

    `guard`: keeps secrets out of what is shown and kept. `local`: whether people sign in with
    passwords kept here.
    """

    office: Office
    ledger: Ledger
    rules: Callable[[], Rules]
    clock: Callable[[], float]
    ids: Callable[[], str]
    announce: Callable[[Announcement], None]
    guard: Guard = SHAPES
    local: Callable[[], bool] = lambda: True

    async def note(self, record: Record) -> None:
        """Returns once the record is as durable as configured. Raises LedgerError."""
        durable = self.ledger.note(record)
        if durable is not None:
            await durable
