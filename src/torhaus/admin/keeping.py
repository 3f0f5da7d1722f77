"""Acts on audit records as a whole: legal holds, and restores from cold storage."""

import re
from collections.abc import Awaitable, Callable
from datetime import date

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.audit.acts import Act
from torhaus.model.desk import Desk
from torhaus.model.evidence import Held, Released
from torhaus.model.keeping import KeepingError, Restore, Vault
from torhaus.policy.approvers import administers, is_person

MOST_DAYS = 365
"""How long a restore may be kept."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_SECONDS = 86400.0


class HoldRecords(msgspec.Struct, frozen=True):
    """Keep everything of these days, both included, until the hold is released."""

    first_day: str
    last_day: str
    why: str


class ReleaseHold(msgspec.Struct, frozen=True):
    """End a legal hold: what is over its age is deleted again."""

    id: str
    why: str


class RestoreRecords(msgspec.Struct, frozen=True):
    """Make cold records of these days, both included, fit for queries for so many days."""

    first_day: str
    last_day: str
    days: int


Keeping = Callable[[Desk, Scene, HoldRecords], Awaitable[Effect | Refusal]]
Releasing = Callable[[Desk, Scene, ReleaseHold], Awaitable[Effect | Refusal]]
Restoring = Callable[[Desk, Scene, RestoreRecords], Awaitable[Effect | Refusal]]


def holding(vault: Callable[[], Vault]) -> Keeping:
    async def hold(_desk: Desk, scene: Scene, act: HoldRecords) -> Effect | Refusal:
        facts = {**_span(act.first_day, act.last_day), "why": act.why[:1000], "hold": scene.id}
        tried = Act(operation="audit.held", facts=facts)
        refused = _may(scene, tried) or _days(act.first_day, act.last_day, tried)
        if refused is not None:
            return refused
        if not act.why.strip():
            return Refusal("invalid", "a hold needs a reason", tried, "say which case it is for")
        made = Held(
            hold=scene.id,
            first_day=act.first_day,
            last_day=act.last_day,
            by=scene.actor.email,
            why=act.why,
        )
        try:
            await vault().hold(made)
        except KeepingError as error:
            return Refusal("unavailable", str(error), tried)
        done = msgspec.structs.replace(tried, after=_told(made))
        return Effect(result=made, act=done, rule="admin")

    return hold


def releasing(vault: Callable[[], Vault]) -> Releasing:
    async def release(_desk: Desk, scene: Scene, act: ReleaseHold) -> Effect | Refusal:
        tried = Act(operation="audit.released", facts={"hold": act.id[:64], "why": act.why[:1000]})
        refused = _may(scene, tried)
        if refused is not None:
            return refused
        if not act.why.strip():
            return Refusal("invalid", "a release needs a reason", tried, "say why it may end")
        try:
            known = {each.hold: each for each in await vault().holds()}
            found = known.get(act.id)
            released = Released(hold=act.id, by=scene.actor.email, why=act.why)
            if found is None or not await vault().release(released):
                return Refusal("not_found", f"there is no hold {act.id[:64]!r}", tried)
        except KeepingError as error:
            return Refusal("unavailable", str(error), tried)
        done = msgspec.structs.replace(tried, before=_told(found))
        return Effect(result=found, act=done, rule="admin")

    return release


def restoring(vault: Callable[[], Vault]) -> Restoring:
    async def restore(_desk: Desk, scene: Scene, act: RestoreRecords) -> Effect | Refusal:
        facts = {**_span(act.first_day, act.last_day), "days": act.days, "restore": scene.id}
        tried = Act(operation="audit.restored", facts=facts)
        refused = _may(scene, tried) or _days(act.first_day, act.last_day, tried)
        if refused is not None:
            return refused
        if not 1 <= act.days <= MOST_DAYS:
            text = f"records are restored for 1 to {MOST_DAYS} days"
            return Refusal("invalid", text, tried, "ask again when that is over")
        made = Restore(
            id=scene.id,
            first_day=act.first_day,
            last_day=act.last_day,
            until=scene.now + act.days * _SECONDS,
            by=scene.actor.email,
        )
        try:
            found = await vault().restore(made, scene.now)
        except KeepingError as error:
            return Refusal("unavailable", str(error), tried)
        done = msgspec.structs.replace(tried, after={"files": found.files, "ready": found.ready})
        return Effect(result=found, act=done, rule="admin")

    return restore


def _may(scene: Scene, tried: Act) -> Refusal | None:
    """Records are of every server, so that nobody less than an administrator of all may do this."""
    if not is_person(scene.actor) or not administers(scene.actor, "*", scene.now):
        return Refusal("not_allowed", "this needs admin permission on every server", tried)
    return None


def _days(first: str, last: str, tried: Act) -> Refusal | None:
    for day in (first, last):
        try:
            good = _DAY.fullmatch(day) is not None and bool(date.fromisoformat(day))
        except ValueError:
            good = False
        if not good:
            return Refusal("invalid", f"{day[:40]!r} is no day", tried, "write it as 2025-10-20")
    if last < first:
        return Refusal("invalid", "the last day is before the first", tried, "swap them")
    return None


def _span(first: str, last: str) -> dict[str, str]:
    return {"first_day": first[:40], "last_day": last[:40]}


def _told(held: Held) -> dict[str, str]:
    return {
        "hold": held.hold,
        "first_day": held.first_day,
        "last_day": held.last_day,
        "by": held.by,
        "why": held.why[:1000],
    }
