"""Whether audit records reach the other places they are meant for."""

import time
from collections.abc import Iterator
from pathlib import Path

from torhaus.audit.lag import LATE, seconds
from torhaus.cli.doctor.finding import Finding, bad, doubt, good
from torhaus.cli.output import counted
from torhaus.config.settings import Settings
from torhaus.store.audit.sinks.positions import DamagedBookError
from torhaus.store.audit.sinks.standing import standing


def findings(settings: Settings) -> Iterator[Finding]:
    """One for each sink; nothing is delivered."""
    for sink in settings.audit.sinks:
        yield _finding(settings.data_dir / "audit", sink.name, time.time())


def _finding(audit: Path, name: str, now: float) -> Finding:
    check = "audit sink"
    try:
        state = standing(audit, name)
    except DamagedBookError as error:
        return bad(check, f"{name}: its position is damaged", str(error).partition(": ")[2])
    except OSError as error:
        return bad(check, f"{error.filename} cannot be read: {error.strerror}", "run as its owner")
    behind = f"{counted(state.behind, 'record')} behind"
    if state.error:
        fix = f"put it right; torhaus audit sinks --test {name} tries it"
        return doubt(check, f"{name} fails: {state.error}; {behind}", fix)
    if seconds(state, now) > LATE:
        return doubt(check, f"{name} is {behind}", "see that the gateway runs, and its log")
    if state.refused:
        said = f"{name} refused {counted(state.refused, 'record')}"
        return doubt(check, said, f"look into {audit}/sinks/{name}.rejected.jsonl")
    return good(check, f"{name} has {counted(state.delivered, 'record')}, and is {behind}")
