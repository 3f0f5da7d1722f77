"""Counts wrong credentials by address and minute, so that nobody can flood the audit log."""

from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf

from torhaus.audit.shape import timestamp
from torhaus.model.networks import household
from torhaus.model.strangers import Strangers

WINDOW = 60.0
MOST = 256
"""Addresses that are told apart at a time."""
REST = ""
"""Stands for all other addresses."""


@dataclass(slots=True)
class _Seen:
    reason: str
    began: float
    last: float
    count: int = 1
    addresses: set[str] = field(default_factory=set)


@dataclass(slots=True, kw_only=True)
class Refusals:
    """Owned by one event loop. `clock`: Unix seconds."""

    clock: Callable[[], float]
    _seen: dict[str, _Seen] = field(default_factory=dict)

    def note(self, ip: str, reason: str) -> None:
        """A credential that was sent from `ip` was not let in."""
        name, now = household(ip), self.clock()
        key = name if name in self._seen or len(self._seen) < MOST else REST
        seen = self._seen.get(key)
        if seen is None:
            seen = self._seen[key] = _Seen(reason, now, now)
        else:
            seen.count += 1
            seen.last = now
        if len(seen.addresses) < MOST:
            seen.addresses.add(name)

    def due(self, now: float = inf) -> list[Strangers]:
        """Those whose minute is over; all of them without a time. They are told of once."""
        over = [ip for ip, seen in self._seen.items() if seen.began + WINDOW <= now]
        return [_told(ip, self._seen.pop(ip)) for ip in over]


def _told(ip: str, seen: _Seen) -> Strangers:
    return Strangers(
        ip=ip,
        reason=seen.reason,
        began=seen.began,
        since=timestamp(seen.began),
        until=timestamp(seen.last),
        count=seen.count,
        addresses=len(seen.addresses),
    )
