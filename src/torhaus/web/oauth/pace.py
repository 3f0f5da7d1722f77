"""How often one address may ask for something that costs us."""

from collections import OrderedDict, deque

from torhaus.model.networks import household, site

HOUR = 3600.0
MOST = 10_000
"""Addresses that are told apart at a time."""
SITE, EVERYBODY = 4, 100
"""How many times as often as one address one /48 of IPv6 may, and all together."""


class Pace:
    """Owned by one event loop. Sliding windows of an hour, in this process."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, deque[float]] = OrderedDict()
        self._all: deque[float] = deque()

    def wait(self, ip: str, most: int, now: float) -> float:
        """Seconds to wait; 0.0, and it is counted, when there is room.

        Who has many addresses has not many times as much room.
        """
        own, near = household(ip), site(ip)
        windows = [(self._window(own), most), (self._all, EVERYBODY * most)]
        if near != own:
            windows.append((self._window(near), SITE * most))
        waits = [_wait(times, limit, now) for times, limit in windows]
        if max(waits) > 0:
            return max(waits)
        for times, _ in windows:
            times.append(now)
        return 0.0

    def _window(self, key: str) -> deque[float]:
        times = self._seen.setdefault(key, deque())
        self._seen.move_to_end(key)
        while len(self._seen) > MOST:
            self._seen.popitem(last=False)
        return times


def _wait(times: deque[float], most: int, now: float) -> float:
    while times and times[0] <= now - HOUR:
        times.popleft()
    return times[0] + HOUR - now if len(times) >= most else 0.0
