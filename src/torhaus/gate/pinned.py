"""The pins of every server, in memory: the gate decides on these and never asks the database."""

from collections.abc import Callable, Iterable, Mapping

from torhaus.model.pins import Definition, Drift, News, Pin, What
from torhaus.model.servers import Server
from torhaus.policy import pins

MAX_PINS = 10_000
"""Tools that are known of one server; names beyond are unknown tools."""


def _nobody(news: News) -> None:
    """Nobody listens."""


class Pins:
    """Owned by one event loop. `unsaved`: what the database has yet to keep, by server and name."""

    def __init__(self, known: Iterable[Pin] = (), tell: Callable[[News], None] = _nobody) -> None:
        self._of: dict[str, dict[str, Pin]] = {}
        self._tell = tell
        self.unsaved: dict[tuple[str, str], Pin] = {}
        for pin in known:
            self._of.setdefault(pin.server, {})[pin.name] = pin

    def of(self, server: str) -> Mapping[str, Pin]:
        return self._of.get(server, {})

    def looked(
        self, server: Server, found: Mapping[str, Definition], now: float, *, whole: bool
    ) -> bool:
        """Compare what the server lists. Returns whether anything is not as it was.

        `whole`: it is all the server has, so that what is not in it is gone. The first whole list
        with anything in it is trusted; a part of one before that says nothing.
        """
        known = self._of.get(server.name)
        if not known:
            return whole and self._first(server, found, now)
        changed = [
            pin
            for name, each in found.items()
            if (pin := self._look(server, known, name, each, now)) is not None
        ]
        if whole:
            changed += self._missed(known, found, now)
        for pin in changed:
            self._put(pin)
        return bool(changed)

    def _first(self, server: Server, found: Mapping[str, Definition], now: float) -> bool:
        first = [
            pins.begun(server.name, name, each, now)
            for name, each in list(found.items())[:MAX_PINS]
        ]
        for pin in first:
            self._put(pin)
        if first:
            self._tell(News(what=What.PINNED, server=server.name, pins=tuple(first), at=now))
        return bool(first)

    def _look(
        self, server: Server, known: Mapping[str, Pin], name: str, found: Definition, now: float
    ) -> Pin | None:
        pin = known.get(name)
        if pin is None and len(known) >= MAX_PINS:
            return None
        new = pin is None or pin.accepted is None
        drift = Drift(server.drift_new if new else server.drift_changed)
        seen = pins.looked(pin, server.name, name, found, drift, now)
        if pins.is_news(seen):
            seen = pins.told(seen)
            what, refused = What.NEW if new else What.CHANGED, drift is Drift.QUARANTINE
            self._tell(News(what=what, server=server.name, pins=(seen,), at=now, refused=refused))
        elif seen.accepted is not None and (pin is None or seen.accepted is not pin.accepted):
            self._tell(News(what=What.FOLLOWED, server=server.name, pins=(seen,), at=now))
        return None if seen is pin else seen

    def _missed(
        self, known: Mapping[str, Pin], found: Mapping[str, Definition], now: float
    ) -> list[Pin]:
        missing = [pin for name, pin in known.items() if name not in found]
        return [gone for pin in missing if (gone := pins.missed(pin, now)) is not pin]

    def _put(self, pin: Pin) -> None:
        self._of.setdefault(pin.server, {})[pin.name] = pin
        self.unsaved[pin.server, pin.name] = pin

    # -- what the database says ----------------------------------------------------------------

    def decided(self, pin: Pin) -> bool:
        """Take over what an administrator has decided, here or in another process.

        Returns whether that changed anything.
        """
        known = self.of(pin.server).get(pin.name)
        merged = pin if known is None else pins.settled(known, pin)
        if merged == known:
            return False
        self._of.setdefault(pin.server, {})[pin.name] = merged
        if (pin.server, pin.name) in self.unsaved:
            self.unsaved[pin.server, pin.name] = merged
        return True

    def saved(self, kept: Iterable[Pin]) -> None:
        """The database has these; what changed meanwhile is still to be kept."""
        for pin in kept:
            if self.unsaved.get((pin.server, pin.name)) is pin:
                del self.unsaved[pin.server, pin.name]
