"""What each server lists, as the gate decides by it and as clients may see it."""

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog

from torhaus.gate import described
from torhaus.gate.pages import NO_HINTS, Item, Page, read, remembered, written
from torhaus.gate.pinned import Pins
from torhaus.mcp.params import Mark
from torhaus.model.pins import Drift, Pin, Standing
from torhaus.model.servers import Server
from torhaus.model.verdict import Deny
from torhaus.policy.pins import RULE, UNKNOWN, refusal

log = structlog.get_logger()

FRESH = 3600.0
"""Seconds a learned list is believed when the server announces no change."""
PAUSE = 60.0
"""Seconds until a list that could not be fetched is asked for again."""
MEANWHILE = 5.0
"""Seconds for which a list that is being fetched anew is still believed."""
AGAIN = 10.0
"""Seconds for which a caller's own list answers for names that are not in it."""
MAX_PAGES = 8
"""Different pages of one server that are remembered: callers of several eras, several pages."""
MAX_REMEMBERED = 4 * 1024 * 1024
MAX_FLAGGED = 20_000
MAX_SAID = 50
"""Tools of one page of which the log says what is wrong with them."""


class Listed(msgspec.Struct, frozen=True):
    """A tool as calls are judged by it. `deny`: why it must not be called at all."""

    hints: Mapping[str, Any] = NO_HINTS
    marks: tuple[Mark, ...] = ()
    deny: Deny | None = None


NO_TOOL = Listed()
"""For requests that call no tool."""
UNLISTED = Listed(deny=Deny(RULE, UNKNOWN, "Unknown tool"))


@dataclass(slots=True)
class _Known:
    """`server`: the settings that `table` was made under. `by` and `at`: whose list, and when.

    `other`: what names are that stand in no list.
    """

    server: Server
    items: Mapping[str, Item]
    table: dict[str, Listed]
    until: float
    other: Listed = UNLISTED
    by: str = ""
    at: float = 0.0
    pages: tuple[Page, ...] = ()


class Catalogue:
    """Owned by one event loop. A list that is byte for byte as before costs one comparison.

    `repinned`: called with a server's name when what is pinned of it is not as it was.
    """

    def __init__(self, pins: Pins | None = None) -> None:
        self.pins = Pins() if pins is None else pins
        self._known: dict[str, _Known] = {}
        self._pages: dict[str, dict[bytes, Page]] = {}
        self._flagged: set[str] = set()
        self.repinned: list[Callable[[str], None]] = []

    # -- for calls -----------------------------------------------------------------------------

    def find(self, server: Server, tool: str, now: float) -> Listed | None:
        """The tool, or UNLISTED; None while nobody knows what the server lists."""
        known = self._known.get(server.name)
        if known is None or known.until <= now:
            return None
        if known.server is not server:
            self._settle(known, server)
        return known.table.get(tool, known.other)

    def marks(self, server: str, tool: str) -> tuple[Mark, ...]:
        """The arguments of the tool that headers must repeat, as far as known."""
        known = self._known.get(server)
        return () if known is None else known.table.get(tool, UNLISTED).marks

    def tools(self, server: str) -> Container[str]:
        """The names the server lists, as far as known."""
        known = self._known.get(server)
        return () if known is None else known.table

    def items(self, server: str) -> Mapping[str, Item]:
        """What the server listed last, as far as known."""
        known = self._known.get(server)
        return {} if known is None else known.items

    def accepted(self, server: Server) -> bytes | None:
        """A `tools/list` of what was accepted, for while the server has not said its own yet.

        No tool that waits for an administrator, or was gone. None: nothing is known.
        """
        known, found = self.items(server.name), []
        for name, pin in self.pins.of(server.name).items():
            if pin.accepted is None or pin.standing is not Standing.ACCEPTED:
                continue
            item = known.get(name)
            if item is None or item.definition.digest != pin.accepted.digest:
                item = remembered(pin.accepted)
            if item.withheld is None:
                found.append(item)
        return written(b"{}", found) if found else None

    def just_seen(self, server: Server, by: str, now: float) -> bool:
        """Whether what is known is this very caller's list, of a moment ago."""
        known = self._known.get(server.name)
        return known is not None and known.by == by and known.at + AGAIN > now

    # -- what servers list ---------------------------------------------------------------------

    def learn(self, server: Server, results: list[bytes], now: float, by: str = "") -> None:
        """All pages of a `tools/list`, which replace what was known.

        Raises msgspec.MsgspecError, UnicodeDecodeError or RecursionError for what is no list.
        """
        self._learn(server, tuple(self._page(server.name, each) for each in results), now, by)

    def seen(self, server: Server, result: bytes, now: float, *, whole: bool, by: str) -> None:
        """One page that the server has just sent to a caller. `whole`: it was asked for the first.

        Raises as `learn` does.
        """
        page = self._page(server.name, result)
        if whole and page.cursor is None:
            self._learn(server, (page,), now, by)
        else:
            self._part(server, page, now)

    def shown(self, server: Server, method: str, result: bytes) -> bytes:
        """A list as clients may see it, whenever its server sent it. Raises as `learn` does."""
        if method != "tools/list":
            return described.seen(method, result)
        page = self._page(server.name, result)
        pins = self.pins.of(server.name)
        kept = [item for item in page.items if _shows(server, item, pins)]
        return result if page.plain and len(kept) == len(page.items) else written(result, kept)

    def _learn(self, server: Server, pages: tuple[Page, ...], now: float, by: str) -> None:
        known = self._known.get(server.name)
        if known is not None and known.pages == pages and known.server is server:
            known.until, known.by, known.at = now + FRESH, by, now
            return
        items: dict[str, Item] = {}
        for page in pages:
            for item in page.items:
                items.setdefault(item.name, item)
        self._look(server, items, now, whole=True)
        known = _Known(server, items, {}, now + FRESH, by=by, at=now, pages=pages)
        self._settle(known, server)
        self._known[server.name] = known

    def _part(self, server: Server, page: Page, now: float) -> None:
        items = {item.name: item for item in page.items}
        changed = self._look(server, items, now, whole=False)
        known = self._known.get(server.name)
        if known is not None and (changed or any(name not in known.items for name in items)):
            known.items = {**known.items, **items}
            known.pages = ()
            self._settle(known, server)

    def _look(self, server: Server, items: Mapping[str, Item], now: float, *, whole: bool) -> bool:
        found = {name: item.definition for name, item in items.items() if item.withheld is None}
        changed = self.pins.looked(server, found, now, whole=whole)
        if changed and server.name in self._known:
            self._tell(server.name)
        return changed

    def _tell(self, server: str) -> None:
        for heard in self.repinned:
            heard(server)

    def _settle(self, known: _Known, server: Server) -> None:
        """What follows for calls from the list, the pins and the server's settings."""
        pins = self.pins.of(server.name)
        known.server = server
        known.table = {
            name: _listed(server, item, pins.get(name)) for name, item in known.items.items()
        }
        known.other = UNLISTED
        if server.drift_unlisted == "pass":
            known.other = NO_TOOL
            known.table |= {
                name: Listed(deny=_refusal(server, msgspec.structs.replace(pin, gone=None)))
                for name, pin in pins.items()
                if name not in known.items
            }

    def _page(self, server: str, result: bytes) -> Page:
        pages = self._pages.setdefault(server, {})
        page = pages.get(result)
        if page is None:
            known = {text: item for each in pages.values() for text, item in each.texts.items()}
            page = read(result, known)
            self._flag(server, page)
            if len(pages) >= MAX_PAGES:
                del pages[next(iter(pages))]
            if len(result) <= MAX_REMEMBERED:
                pages[result] = page
        return page

    def _flag(self, server: str, page: Page) -> None:
        """Say once of each definition what is suspicious about it, but not of thousands."""
        flagged = 0
        for item in page.items:
            if item.definition.digest in self._flagged or not (item.findings or item.withheld):
                continue
            if len(self._flagged) >= MAX_FLAGGED:
                self._flagged.clear()
            self._flagged.add(item.definition.digest)
            flagged += 1
            if flagged > MAX_SAID:
                continue
            about = {"server": server, "tool": item.name[:128]}
            if item.withheld is not None:
                log.warning("catalogue.withheld", **about, reason=item.withheld)
            for finding in item.findings[:5]:
                log.warning("catalogue.suspicious", **about, where=finding.where, what=finding.text)
        if flagged > MAX_SAID:
            log.warning("catalogue.more", server=server, tools=flagged - MAX_SAID)

    # -- what else happens ---------------------------------------------------------------------

    def looking(self, server: Server, now: float) -> None:
        """Somebody fetches the list: others go on with the last one meanwhile."""
        known = self._known.get(server.name)
        if known is not None and known.until <= now:
            known.until = now + MEANWHILE

    def missed(self, server: Server, now: float) -> bool:
        """The list could not be had: go on with what is known, or else pinned, for a while.

        Returns whether there is anything to go on with.
        """
        known = self._known.get(server.name)
        if known is None:
            accepted = [pin for pin in self.pins.of(server.name).values() if pin.gone is None]
            items = {p.name: remembered(p.accepted) for p in accepted if p.accepted is not None}
            if not items:
                return False
            known = self._known[server.name] = _Known(server, items, {}, until=0.0)
            self._settle(known, server)
        known.until = now + PAUSE
        return True

    def forget(self, server: str) -> None:
        """The server has announced a change, or may have changed."""
        known = self._known.get(server)
        if known is not None:
            known.until = 0.0

    def decided(self, pin: Pin) -> None:
        """An administrator has accepted or rejected a tool."""
        known = self._known.get(pin.server)
        if self.pins.decided(pin) and known is not None:
            self._settle(known, known.server)
            self._tell(pin.server)


def _shows(server: Server, item: Item, pins: Mapping[str, Pin]) -> bool:
    """A part of a list that comes before the first whole one is not pinned yet, but seen.

    A list that was kept may be older than the pins: what it says must be what they say.
    """
    pin = pins.get(item.name)
    if item.withheld is not None or pin is None:
        return item.withheld is None and not pins
    known = (each.digest for each in (pin.accepted, pin.offered) if each is not None)
    return item.definition.digest in known and _refusal(server, pin) is None


def _refusal(server: Server, pin: Pin) -> Deny | None:
    return refusal(pin, Drift(server.drift_new), Drift(server.drift_changed))


def _listed(server: Server, item: Item, pin: Pin | None) -> Listed:
    if item.withheld is not None or pin is None:
        return UNLISTED
    hints = item.hints
    if pin.offered is not None and pin.accepted is not None:
        hints = _stricter(remembered(pin.accepted).hints, hints)
    return Listed(hints, item.marks, _refusal(server, pin))


def _stricter(accepted: Mapping[str, Any], offered: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a server newly says of a tool may make decisions stricter, never laxer."""
    hints = dict(offered)
    if accepted.get("readOnlyHint") is False:
        hints["readOnlyHint"] = False
    if accepted.get("destructiveHint") is True:
        hints["destructiveHint"] = True
    return hints


def next_cursor(page: bytes) -> str | None:
    """Raises msgspec.MsgspecError when it is not a tools/list result."""
    return read(page).cursor
