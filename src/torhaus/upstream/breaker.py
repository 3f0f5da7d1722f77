"""Stops calls to a server that does not work, and lets one through now and then."""

from dataclasses import dataclass

from torhaus.model.health import Upkeep


@dataclass(slots=True)
class Breaker:
    """Made at the first failure, thrown away at the next answer. Times of a monotonic clock.

    `opened`: None while calls pass. `due`: when the next may, once. `trying`: that one is under
    way. `times`: how often it was tried in vain since a call was answered. `parole`: a check was
    answered, but no call yet. `by_call`: checks cannot tell.
    """

    since: float
    error: str = ""
    error_at: float = 0.0
    denied: bool = False
    failures: int = 0
    opened: float | None = None
    due: float = 0.0
    trying: bool = False
    times: int = 0
    parole: bool = False
    by_call: bool = False

    def failed(self, now: float, upkeep: Upkeep, draw: float) -> bool:
        """One more failure. Whether it opened with it. `draw`: by chance, from 0 to 1."""
        self.failures += 1
        self.parole = False
        if self.opened is None and not 0 < upkeep.failures <= self.failures:
            return False
        first = self.opened is None
        if self.opened is None:
            self.opened = now
            self.by_call = False
        self.trying = False
        self.times += 1
        self._wait(now, upkeep, draw)
        return first

    def noted(self, error: str, now: float, *, denied: bool) -> None:
        """What went wrong, whether or not it counts."""
        self.error, self.error_at, self.denied = error, now, denied

    def undecided(self, now: float, upkeep: Upkeep, draw: float) -> None:
        """A check said nothing about it: after the same wait, a call may try."""
        self.trying = False
        self.by_call = True
        self._wait(now, upkeep, draw)

    def abandoned(self, times: int) -> bool:
        """The call that was the try after `times` has ended without saying anything of the server.

        The next one may try at once. False: it did say something.
        """
        left = self.opened is not None and self.trying and self.times == times
        if left:
            self.trying = False
        return left

    def admits(self, now: float) -> bool:
        """Whether a call may try it: one at a time, and only when it is due."""
        if self.trying or now < self.due:
            return False
        self.trying = True
        return True

    def on_parole(self, upkeep: Upkeep) -> None:
        """A check was answered: calls pass, but the first that fails opens it again for longer."""
        self.opened = None
        self.trying = False
        self.parole = True
        self.failures = max(0, upkeep.failures - 1)

    def _wait(self, now: float, upkeep: Upkeep, draw: float) -> None:
        # Between a half and all of it: gateways that lost a server together come back one by one.
        longest = min(upkeep.longest, upkeep.wait * 2.0 ** min(max(self.times, 1) - 1, 30))
        self.due = now + longest * (0.5 + draw / 2)
