"""Grants laid over a user's own roles: which roles he has from when to when."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from math import inf
from zoneinfo import ZoneInfo

from torhaus.model.access import Access
from torhaus.model.grant import Grant
from torhaus.model.people import Phase

NOWHERE: Mapping[str, tuple[str, ...]] = {}
Limited = Mapping[str, tuple[str, ...]]
"""Role -> the only servers where it counts."""
Accessing = Callable[[tuple[str, ...], Limited], Mapping[str, Access]]


def phases(
    own: Sequence[str], grants: Sequence[Grant], accessing: Accessing, limited: Limited = NOWHERE
) -> tuple[Phase, ...]:
    """In order of time and without gaps. `accessing`: roles, and what limits them -> access.

    A role that is granted for a while counts everywhere meanwhile.
    """
    if not grants:
        roles = tuple(dict.fromkeys((*own, *limited)))
        return (Phase(roles=roles, access=accessing(roles, limited), limited=limited),)
    edges = sorted({-inf, *(g.begins for g in grants), *(g.ends for g in grants)} - {inf})
    found: list[Phase] = []
    for begins, ends in zip(edges, [*edges[1:], inf], strict=True):
        active = [g for g in grants if g.begins <= begins < g.ends]
        roles = _roles((*own, *limited), active)
        given = {grant.role for grant in active}
        here = {role: some for role, some in limited.items() if role in roles and role not in given}
        if found and (found[-1].roles, found[-1].limited) == (roles, here):
            begins = found.pop().begins
        access = accessing(roles, here)
        found.append(Phase(begins=begins, ends=ends, roles=roles, access=access, limited=here))
    return tuple(found)


def _roles(own: Iterable[str], active: Sequence[Grant]) -> tuple[str, ...]:
    """A grant that replaces puts the user's own roles aside, other grants stay."""
    kept = () if any(grant.replace for grant in active) else own
    return tuple(dict.fromkeys((*kept, *(grant.role for grant in active))))


def end_of(value: date | datetime, zone: str) -> float:
    """Unix seconds of a moment, or of the first instant after a day in a time zone."""
    if isinstance(value, datetime):
        return _instant(value, zone)
    return start_of(value + timedelta(days=1), zone)


def start_of(value: date | datetime, zone: str) -> float:
    """Unix seconds of a moment, or of a day's first instant in a time zone."""
    if isinstance(value, datetime):
        return _instant(value, zone)
    return datetime.combine(value, time(), ZoneInfo(zone)).astimezone(UTC).timestamp()


def _instant(value: datetime, zone: str) -> float:
    local = value if value.tzinfo is not None else value.replace(tzinfo=ZoneInfo(zone))
    return local.astimezone(UTC).timestamp()
