"""The catalogues as administrators look at them."""

from collections.abc import Awaitable, Callable

import msgspec

from torhaus.gate.catalogue import Catalogue
from torhaus.model.pins import Pin
from torhaus.model.servers import Server
from torhaus.policy.inventory import Entry, pinned, unpinned


class Shelf:
    """`save` writes what the gate has seen to the database, and raises StateError."""

    def __init__(self, catalogue: Catalogue, save: Callable[[], Awaitable[None]]) -> None:
        self._catalogue = catalogue
        self._save = save

    def entries(self, server: Server) -> list[Entry]:
        """Every tool that is listed or was ever pinned, by name."""
        pins, items = self._catalogue.pins.of(server.name), self._catalogue.items(server.name)
        return [self._entry(server, name) for name in sorted({*pins, *items})]

    def entry(self, server: Server, name: str) -> Entry | None:
        if self.pin(server, name) is None and name not in self._catalogue.items(server.name):
            return None
        return self._entry(server, name)

    def pin(self, server: Server, name: str) -> Pin | None:
        return self._catalogue.pins.of(server.name).get(name)

    async def saved(self) -> None:
        """Returns once the database knows what the gate knows. Raises StateError."""
        await self._save()

    def _entry(self, server: Server, name: str) -> Entry:
        pin, item = self.pin(server, name), self._catalogue.items(server.name).get(name)
        if item is None or (pin is not None and item.withheld is None):
            found = unpinned(server, name, {}) if pin is None else pinned(server, pin)
        else:
            found = unpinned(server, name, item.hints, item.withheld)
        if item is None:
            return found
        return msgspec.structs.replace(found, findings=item.findings)
