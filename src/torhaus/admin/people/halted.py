"""Whether an administrator has stopped somebody, asked in the transaction that would serve him."""

from torhaus.admin.live import stopped_text
from torhaus.model.desk import Desk
from torhaus.model.stops import StopKind


async def halted(desk: Desk, email: str, now: float) -> str | None:
    """Why nothing is issued to this person now, as a sentence; None when he is not stopped."""
    for stop in await desk.stops.in_force(now):
        if stop.kind is StopKind.USER and stop.target == email:
            return stopped_text(stop)
    return None
