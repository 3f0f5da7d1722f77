"""Stops whose time is over: their records, and news of it, once over all gateways."""

from collections.abc import Callable, Sequence

import msgspec
import structlog

from torhaus.admin.acts import Effect
from torhaus.admin.means import Means
from torhaus.audit.acts import HOUSE, Act, act_record
from torhaus.audit.shape import timestamp
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.stops import Stop, StopKind
from torhaus.policy.approvers import administrators

log = structlog.get_logger()

MOST = 100
"""Stops that are ended in one round."""
NEWS = 3600.0
"""Seconds after its end at which a stop is no news any more: no gateway ran then."""
RULE, REASON = "time", "its time is over"


class Overdue:
    """`known`: the stops this process knows. `happened`: told of each that was ended here.

    Nobody is refused any more from the second of its end on; this only says so.
    """

    def __init__(
        self, means: Means, known: Callable[[], Sequence[Stop]], happened: Callable[[Effect], None]
    ) -> None:
        self._means = means
        self._known = known
        self._happened = happened
        self._began = False

    async def walk(self, now: float) -> None:
        """End what is over. Raises StateError and LedgerError; the rest is for the next round."""
        if self._began and not any(_over(each, now) for each in self._known()):
            return
        async with self._means.office.read() as desk:
            found = await desk.stops.overdue(now, MOST)
        for stop in found:
            await self._end(stop, now)
        self._began = len(found) < MOST

    async def _end(self, stop: Stop, now: float) -> None:
        means = self._means
        act = _act(stop)
        async with means.office.write() as desk:
            if not await desk.stops.end(stop.id, now):
                return  # another gateway has
            record = act_record(act, HOUSE, id=means.ids(), at=now, rule=RULE, reason=REASON)
            await means.note(record)
        log.info("stop.ended", id=stop.id, kind=stop.kind.value)
        if stop.expires is not None and now - stop.expires < NEWS:
            means.announce(self._news(stop, now))
        ended = msgspec.structs.replace(stop, lifted_at=stop.expires)
        self._happened(Effect(result=ended, act=act, rule=RULE, people=True, stop=ended))

    def _news(self, stop: Stop, now: float) -> Announcement:
        person = stop.kind in (StopKind.USER, StopKind.KEY)
        server = "*" if person else stop.target.partition("/")[0]
        told = administrators(self._means.rules(), server, now)[:50]
        return Announcement(
            kind=Kind.STOP_ENDED,
            text=f"{stop.target} is not stopped any more: the time of the stop is over.",
            at=now,
            to=tuple(dict.fromkeys((stop.created_by, *told))),
            facts={"stop": stop.id, "kind": stop.kind.value, "target": stop.target},
        )


def _act(stop: Stop) -> Act:
    facts = {
        "stop": stop.id,
        "kind": stop.kind.value,
        "target": stop.target[:254],
        "reason": stop.reason[:500],
        "by": stop.created_by,
    }
    ended = None if stop.expires is None else timestamp(stop.expires)
    return Act(
        operation="stop.ended", facts=facts, before={"stopped": True}, after={"ended": ended}
    )


def _over(stop: Stop, now: float) -> bool:
    return stop.lifted_at is None and stop.expires is not None and stop.expires <= now
