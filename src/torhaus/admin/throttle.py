"""Counts failed sign-ins by address, account and browser, and says when somebody has to wait."""

from collections import deque
from collections.abc import Callable

from torhaus.model.networks import household, site

FAILURES, SITE_FAILURES = 10, 50
MINUTE = 60.0
ACCOUNT_FAILURES = 20
QUARTER = 900.0
DEPARTURES = 120
"""Sign-ins that may begin at identity providers in a minute, from one address."""
MOST = 10_000
"""Names of one kind that are told apart; the one that has been quiet longest goes first."""

ADDRESS, SITE, ACCOUNT, DEVICE, AWAY = "address", "site", "account", "device", "away"
LIMITS = {
    ADDRESS: (FAILURES, MINUTE),
    SITE: (SITE_FAILURES, MINUTE),
    ACCOUNT: (ACCOUNT_FAILURES, QUARTER),
    DEVICE: (ACCOUNT_FAILURES, QUARTER),
    AWAY: (DEPARTURES, MINUTE),
}
"""So many failures, in so many seconds."""
HERE = "signed in"
"""The device of who is signed in: all his sessions count together, and strangers' tries do not."""
Counted = tuple[tuple[str, str], ...]


class Throttle:
    """Owned by one event loop; each process counts for itself. `clock`: Unix seconds.

    Whoever has failed `FAILURES` times in a minute from one address (of IPv6: one /64, and
    `SITE_FAILURES` times from one /48) waits;
    an account at which `ACCOUNT_FAILURES` failed in a quarter of an hour waits for everybody, but
    for browsers that have signed in with it before (`device`): each of them counts as often for
    itself alone, so that no stranger keeps anybody out of his own account.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        # Apart, so that what costs nothing to do does not push out what somebody has failed at.
        self._failures: dict[str, dict[str, deque[float]]] = {kind: {} for kind in LIMITS}

    def wait(self, ip: str, account: str = "", device: str = "") -> float:
        """Seconds until the next try is looked at; 0 for now."""
        return max(self._wait(*each) for each in _counted(ip, account, device))

    def begins(self, ip: str, account: str, device: str = "") -> float:
        """As `wait`; and where the try is looked at, it counts as failed until it was `right`.

        Looking takes a while: of many tries at once no more may be looked at than one by one.
        """
        wait = self.wait(ip, account, device)
        if not wait:
            self.failed(ip, account, device)
        return wait

    def departs(self, ip: str) -> float:
        """Seconds to wait before a sign-in elsewhere may begin; 0 for now, and it is counted.

        Each is kept for minutes, and whoever begins one need not prove anything.
        """
        name = household(ip)
        wait = max(self.wait(ip), self._wait(AWAY, name))
        if not wait:
            self._note(AWAY, name)
        return wait

    def failed(self, ip: str, account: str = "", device: str = "") -> None:
        for kind, name in _counted(ip, account, device):
            self._note(kind, name)

    def right(self, ip: str, account: str, device: str = "") -> None:
        """The try that began last was no guess, so it does not count; others do."""
        for kind, name in _counted(ip, account, device):
            times = self._failures[kind].get(name)
            if times:
                times.pop()

    def passed(self, account: str, device: str = "") -> None:
        """Who is in has not guessed; the address keeps its count, for the next account.

        So does the account, where a browser that is known came in: others have guessed at it.
        """
        kind, name = _counted("", account, device)[-1]
        self._failures[kind].pop(name, None)

    def _wait(self, kind: str, name: str) -> float:
        times, (most, window) = self._failures[kind].get(name), LIMITS[kind]
        if times is None or len(times) < most:
            return 0.0
        return max(0.0, times[0] + window - self._clock())

    def _note(self, kind: str, name: str) -> None:
        known = self._failures[kind]
        times = known.pop(name, None) or deque(maxlen=LIMITS[kind][0])
        times.append(self._clock())
        known[name] = times  # now the newest
        if len(known) > MOST:
            del known[next(iter(known))]


def _counted(ip: str, account: str, device: str) -> Counted:
    """Where a try counts: with the browser alone, if that is known at this account."""
    if device:
        return ((DEVICE, f"{device} {account}"),)
    address = ((ADDRESS, household(ip)), (SITE, site(ip)))
    return (*address, (ACCOUNT, account)) if account else address
