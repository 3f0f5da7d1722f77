"""Which segments nobody may remove yet."""

from pathlib import Path

from torhaus.model.auditing import AuditSettings
from torhaus.store.audit.settling import needed
from torhaus.store.audit.sinks.positions import awaited


def staying(audit: Path, settings: AuditSettings, now: float) -> set[str]:
    """Names of segments. `audit`: `data/audit`. Raises OSError.

    A sink still has to deliver them, or calls with intents in them may be without an outcome.
    """
    names = [each.name for each in settings.sinks]
    late = awaited(audit, names, settings.sink_patience, now)
    return late | needed(audit / "hot", audit / "running")
