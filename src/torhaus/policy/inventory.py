"""A server's catalogue for people: what each tool counts as, and how it stands."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.model.pins import Definition, Drift, Pin
from torhaus.model.servers import Server
from torhaus.model.verdict import Deny
from torhaus.policy.judged import Judged, judge
from torhaus.policy.pins import refusal
from torhaus.policy.poison import Finding, scan

_decode = msgspec.json.decode


class Entry(msgspec.Struct, frozen=True, kw_only=True):
    """One tool. `deny`: why nobody can call it. `withheld`: why no client sees it; a sentence.

    `pin`: None for a tool that is withheld, or whose server has not been listed whole yet.
    """

    judged: Judged
    pin: Pin | None = None
    findings: tuple[Finding, ...] = ()
    deny: Deny | None = None
    withheld: str | None = None

    @property
    def standing(self) -> str:
        """A `Standing`, or `withheld`, or `listed` before there is a pin."""
        if self.withheld is not None:
            return "withheld"
        return "listed" if self.pin is None else self.pin.standing.value


def pinned(server: Server, pin: Pin) -> Entry:
    """A tool as it is known of the pins."""
    shown = pin.offered or pin.accepted
    loose = _loose(shown)
    hints = loose.get("annotations")
    return Entry(
        judged=judge(server, pin.name, hints if isinstance(hints, dict) else {}),
        pin=pin,
        findings=scan(loose),
        deny=refusal(pin, Drift(server.drift_new), Drift(server.drift_changed)),
    )


def unpinned(
    server: Server, name: str, hints: Mapping[str, Any], withheld: str | None = None
) -> Entry:
    """A tool that is listed and has no pin."""
    return Entry(judged=judge(server, name, hints), withheld=withheld)


def _loose(found: Definition | None) -> dict[str, Any]:
    loose = {} if found is None else _decode(found.text)
    return loose if isinstance(loose, dict) else {}
