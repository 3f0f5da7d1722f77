"""Where records of a day belong by their age, and what must not be deleted. Pure."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import msgspec

from torhaus.model.evidence import Held
from torhaus.model.keeping import After, Retention, Tier


class Stay(msgspec.Struct, frozen=True):
    """It is where it belongs. `until`: Unix seconds; None for ever."""

    until: float | None


class Move(msgspec.Struct, frozen=True):
    tier: Tier


class End(msgspec.Struct, frozen=True):
    """Its time is over. `why`: a sentence, for the tombstone."""

    why: str


class Wait(msgspec.Struct, frozen=True):
    """Its time is over, and a legal hold keeps it."""

    hold: str


Fate = Stay | Move | End | Wait

_ORDER = (Tier.HOT, Tier.WARM, Tier.COLD, Tier.ARCHIVE)
_DAY = 86400


def fate(
    span: tuple[str, str], tier: Tier, retention: Retention, holds: Iterable[Held], now: float
) -> Fate:
    """What is to happen to a day file. `span`: its first and last day, `2025-10-20`.

    Age is counted from the end of its last day (UTC): every record in it is at least that old.
    Nothing ever moves back to a warmer tier.
    """
    if tier is Tier.ARCHIVE or retention.hot is None:
        return Stay(None)
    born = ended(span[1])
    limits = _limits(retention)
    for wanted, limit in limits:
        if _ORDER.index(wanted) >= _ORDER.index(tier) and now < born + limit:
            if wanted is tier:
                return Stay(born + limit)
            return Move(wanted)
    return _over(span, tier, retention, holds, limits[-1])


def _over(
    span: tuple[str, str],
    tier: Tier,
    retention: Retention,
    holds: Iterable[Held],
    last: tuple[Tier, float],
) -> Fate:
    if retention.after is After.KEEP:
        resting = last[0]
        return Stay(None) if _ORDER.index(tier) >= _ORDER.index(resting) else Move(resting)
    hold = held(span, holds)
    if hold is not None:
        return Wait(hold.hold)
    if retention.after is After.ARCHIVE:
        return Move(Tier.ARCHIVE)
    return End(f"older than {last[1] / _DAY:g} days, as audit_logs.retention says")


def _limits(retention: Retention) -> list[tuple[Tier, float]]:
    """The tiers in use, and the age at which each ends."""
    pairs = ((Tier.HOT, retention.hot), (Tier.WARM, retention.warm), (Tier.COLD, retention.cold))
    return [(tier, limit) for tier, limit in pairs if limit is not None]


def held(span: tuple[str, str], holds: Iterable[Held]) -> Held | None:
    """A hold on any of these days, both included."""
    first, last = span
    for each in holds:
        if each.first_day <= last and first <= each.last_day:
            return each
    return None


def ended(day: str) -> float:
    """Unix seconds at which a day is over (UTC)."""
    after = date.fromisoformat(day) + timedelta(days=1)
    return datetime(after.year, after.month, after.day, tzinfo=UTC).timestamp()


def day_of(timestamp: str) -> str:
    """The day of a record's time."""
    return timestamp[:10]
