"""The pins of every server, in memory: the gate decides on these and never asks the database."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum

import msgspec

from torhaus.model.pins import Definition, Drift, Pin, Standing
from torhaus.model.servers import Server
from torhaus.policy import pins

MAX_PINS = 10_000
"""Tools that are known of one server; names beyond are unknown tools."""


class What(StrEnum):
    """What has happened to a catalogue. The values are operations in audit records."""

    PINNED = "catalogue.pinned"
    NEW = "catalogue.tool.new"
    CHANGED = "catalogue.tool.changed"
    FOLLOWED = "catalogue.tool.followed"


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Something people should hear of: the first list of a server, or a tool that drifted.

    `pins`: all of the first list; else the one tool. `refused`: calls of it are. FOLLOWED: what
    changed was accepted, because the server's settings say so.
    """

    what: What
    server: str
    pins: tuple[Pin, ...]
    refused: bool = False


class PinError(Exception):
    """An administrator's word does not fit what is there. The text is a sentence for people."""


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
            self._tell(News(what=What.PINNED, server=server.name, pins=tuple(first)))
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
            self._tell(News(what=what, server=server.name, pins=(seen,), refused=refused))
        elif seen.accepted is not None and (pin is None or seen.accepted is not pin.accepted):
            self._tell(News(what=What.FOLLOWED, server=server.name, pins=(seen,)))
        return None if seen is pin else seen

    def _missed(
        self, known: Mapping[str, Pin], found: Mapping[str, Definition], now: float
    ) -> list[Pin]:
        missing = [pin for name, pin in known.items() if name not in found]
        return [gone for pin in missing if (gone := pins.missed(pin, now)) is not pin]

    def _put(self, pin: Pin) -> None:
        self._of.setdefault(pin.server, {})[pin.name] = pin
        self.unsaved[pin.server, pin.name] = pin

    # -- what administrators say ---------------------------------------------------------------

    def accept(self, server: str, name: str, digest: str, by: str, now: float) -> Pin:
        """What the server offers is what it shall be from now on. Raises PinError."""
        pin = self._waiting(server, name, digest)
        if pin.offered is not None:
            pin = pins.accepted(pin, pin.offered, by, now)
            self._put(pin)
        return pin

    def reject(self, server: str, name: str, digest: str) -> Pin:
        """What the server offers shall not be called, whatever `drift` says. Raises PinError."""
        pin = pins.rejected(self._waiting(server, name, digest), digest)
        if pin.standing is not Standing.REJECTED:
            raise PinError(f"{name} on {server} is accepted as it is; nothing waits for a decision")
        self._put(pin)
        return pin

    def _waiting(self, server: str, name: str, digest: str) -> Pin:
        """The pin, if this digest is what people have looked at. Raises PinError."""
        pin = self.of(server).get(name)
        if pin is None:
            raise PinError(f"{server} has never listed a tool {name}")
        now = pin.offered or pin.accepted
        if now is None or now.digest != digest:
            raise PinError(
                f"{name} on {server} has changed again since that digest: look at the difference"
            )
        return pin

    def saved(self, kept: Iterable[Pin]) -> None:
        """The database has these; what changed meanwhile is still to be kept."""
        for pin in kept:
            if self.unsaved.get((pin.server, pin.name)) is pin:
                del self.unsaved[pin.server, pin.name]
