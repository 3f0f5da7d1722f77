"""Calendar months as people in a time zone have them."""

from datetime import UTC, datetime, tzinfo


def month(now: float, zone: tzinfo) -> tuple[str, float]:
    """The month of an instant, such as `2026-11`, and the instant (Unix seconds) it ends at."""
    here = datetime.fromtimestamp(now, UTC).astimezone(zone)
    year, after = (here.year + 1, 1) if here.month == 12 else (here.year, here.month + 1)
    return f"{here:%Y-%m}", datetime(year, after, 1, tzinfo=zone).timestamp()
