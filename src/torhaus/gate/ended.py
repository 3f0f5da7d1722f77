"""The names of sessions that have ended, until nobody could use their ids any more."""

DAY = 86400.0
"""Names are let go of together, at most this long after their time."""


class Ended:
    """Seventy octets a name: a part of it, among those that expire on the same day.

    Another session with the same part (one in 2**64) would be taken for ended, never the other way.
    """

    __slots__ = ("_days",)

    def __init__(self) -> None:
        self._days: dict[int, set[int]] = {}

    def __len__(self) -> int:
        return sum(len(names) for names in self._days.values())

    def add(self, jti: bytes, expires: float) -> None:
        self._days.setdefault(int(expires // DAY), set()).add(_part(jti))

    def holds(self, jti: bytes, expires: float) -> bool:
        """Whether this one was added, with this very expiry."""
        return _part(jti) in self._days.get(int(expires // DAY), ())

    def sweep(self, now: float) -> None:
        for day in [each for each in self._days if (each + 1) * DAY <= now]:
            del self._days[day]


def _part(jti: bytes) -> int:
    return int.from_bytes(jti[:8], "big")
