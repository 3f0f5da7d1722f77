"""Journals on real directories, with keys of their own."""

import os
from pathlib import Path

from torhaus.model.evidence import Begun, Sealed
from torhaus.store.audit.disk import prepare
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.keys import audit_key

DAY = 1760970191.234
"""2025-10-20T14:23:11.234Z"""


def journal(data: Path) -> Journal:
    """The journal of a data directory, as a gateway that starts would open it."""
    audit = data / "audit"
    prepare(audit)
    return Journal(audit, audit_key(data, os.urandom), node="gate-1", clock=lambda: DAY)


def begun(name: str) -> Begun:
    return Begun(segment=name)


def sealed(name: str, records: int = 3, **more: object) -> Sealed:
    facts: dict[str, object] = {
        "segment": name,
        "records": records,
        "octets": records * 100,
        "chain": "c" * 64,
        "sha256": "d" * 64,
        "first": "2025-10-20T14:00:00.000Z",
        "last": "2025-10-20T15:00:00.000Z",
        **more,
    }
    return Sealed(**facts)  # type: ignore[arg-type]
