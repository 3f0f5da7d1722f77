"""When something ends, as people write it."""

from datetime import UTC, datetime, timedelta

from torhaus.cli.output import misused
from torhaus.config.amounts import seconds
from torhaus.config.problems import FaultError


def ending(until: str | None, lasting: str | None) -> str | None:
    """ISO 8601, of `--until TIME` or `--for 90d`; None where neither is given."""
    if until is not None and lasting is not None:
        misused("give --until or --for, not both")
    if lasting is not None:
        try:
            return (datetime.now(UTC) + timedelta(seconds=seconds(lasting))).isoformat()
        except (FaultError, OverflowError):
            misused("--for is a time such as 8h or 90d")
    if until is None:
        return None
    try:
        found = datetime.fromisoformat(until)
    except ValueError:
        misused("--until is a time such as 2026-12-31T18:00+01:00")
    return (found if found.tzinfo is not None else found.astimezone()).isoformat()


def shown(text: str | None) -> str:
    """A time of the API for people: this machine's, with the zone it is in."""
    if text is None:
        return ""
    at = datetime.fromisoformat(text).astimezone()
    zone = f"{at:%z}" if at.utcoffset() else ""
    return f"{at:%Y-%m-%d %H:%M:%S} {f'{zone[:3]}:{zone[3:5]}' if zone else 'UTC'}"
