"""`/api/v1/audit/holds`, `/restores` and `/tiers`: where audit records live, and for how long."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Path
from pydantic import Field

from torhaus.admin.keeping import MOST_DAYS, HoldRecords, ReleaseHold, RestoreRecords
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller, Who
from torhaus.api.problems import ProblemError
from torhaus.api.shapes import Given, Taken
from torhaus.audit.shape import timestamp
from torhaus.model.evidence import Held
from torhaus.model.keeping import KeepingError, Restored, Shelved, Vault
from torhaus.policy.approvers import administers
from torhaus.policy.auditors import may_audit

Id = Annotated[str, Path(pattern=r"^[\w:.-]{1,64}$", description="Its id.")]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\d$", description="Such as 2025-10-20.")]
Why = Annotated[str, Field(min_length=1, max_length=1000, description="For the record.")]


class HoldIn(Taken):
    """Days that nothing is deleted of, both included."""

    first_day: Day
    last_day: Day
    why: Why


class ReleaseIn(Taken):
    """Why a hold may end."""

    why: Why


class RestoreIn(Taken):
    """Cold days to be queried, both included."""

    first_day: Day
    last_day: Day
    days: Annotated[int, Field(ge=1, le=MOST_DAYS, description="For how long.")] = 7


class HoldOut(Given):
    """A legal hold."""

    id: str
    first_day: str
    last_day: str
    by: str
    why: str

    @classmethod
    def of(cls, held: Held) -> "HoldOut":
        return cls(
            id=held.hold,
            first_day=held.first_day,
            last_day=held.last_day,
            by=held.by,
            why=held.why,
        )


class RestoreOut(Given):
    """A restore, and how far it is."""

    id: str
    first_day: str
    last_day: str
    until: str
    by: str
    files: Annotated[int, Field(description="Cold day files of these days.")]
    ready: Annotated[int, Field(description="How many of them can be queried.")]

    @classmethod
    def of(cls, found: Restored) -> "RestoreOut":
        restore = found.restore
        return cls(
            id=restore.id,
            first_day=restore.first_day,
            last_day=restore.last_day,
            until=timestamp(restore.until),
            by=restore.by,
            files=found.files,
            ready=found.ready,
        )


class TierOut(Given):
    """What lies in one tier."""

    files: int
    records: int
    bytes: int

    @classmethod
    def of(cls, found: Shelved) -> "TierOut":
        return cls(files=found.files, records=found.records, bytes=found.octets)


class StandingOut(Given):
    """Where records are, as of a minute ago."""

    tiers: dict[str, TierOut]
    waiting: Annotated[TierOut, Field(description="Sealed segments: not in day files yet.")]
    oldest_waiting: str | None
    broken: Annotated[int, Field(description="Segments that are not what was written.")]
    restoring: Annotated[int, Field(description="Files that cold storage has yet to give.")]
    trouble: Annotated[str | None, Field(description="What goes wrong now.")]


def router(backstage: Backstage, vault: Callable[[], Vault]) -> APIRouter:
    routes = APIRouter(prefix="/audit", tags=["audit"])
    _add_holds(routes, backstage, vault)
    _add_restores(routes, backstage, vault)

    @routes.get("/tiers")
    async def tiers(who: Who) -> StandingOut:
        """What lies where; for auditors and administrators."""
        _may_look(backstage, who)
        found = vault().standing()
        return StandingOut(
            tiers={name: TierOut.of(each) for name, each in found.tiers.items()},
            waiting=TierOut.of(found.waiting),
            oldest_waiting=None if found.oldest is None else timestamp(found.oldest),
            broken=found.broken,
            restoring=found.restoring,
            trouble=found.trouble,
        )

    return routes


def _add_holds(routes: APIRouter, backstage: Backstage, vault: Callable[[], Vault]) -> None:
    @routes.get("/holds")
    async def list_holds(who: Who) -> list[HoldOut]:
        """Legal holds in force; for auditors and administrators."""
        _may_look(backstage, who)
        try:
            return [HoldOut.of(each) for each in await vault().holds()]
        except KeepingError as error:
            raise _unavailable(error) from error

    @routes.post("/holds", status_code=201)
    async def hold(wish: HoldIn, who: Who) -> HoldOut:
        """Keep everything of some days until it is released."""
        act = HoldRecords(wish.first_day, wish.last_day, wish.why)
        return HoldOut.of(await backstage.act(who, act))

    @routes.post("/holds/{id}/release")
    async def release(id: Id, wish: ReleaseIn, who: Who) -> HoldOut:
        """End a hold; the answer is what it was."""
        return HoldOut.of(await backstage.act(who, ReleaseHold(id, wish.why)))


def _add_restores(routes: APIRouter, backstage: Backstage, vault: Callable[[], Vault]) -> None:
    @routes.get("/restores")
    async def list_restores(who: Who) -> list[RestoreOut]:
        """Cold days that were asked for, and how far that is."""
        _may_look(backstage, who)
        try:
            return [RestoreOut.of(each) for each in await vault().restores(backstage.clock())]
        except KeepingError as error:
            raise _unavailable(error) from error

    @routes.post("/restores", status_code=202)
    async def restore(wish: RestoreIn, who: Who) -> RestoreOut:
        """Make cold days fit for queries for a while; out of GLACIER that takes hours."""
        act = RestoreRecords(wish.first_day, wish.last_day, wish.days)
        return RestoreOut.of(await backstage.act(who, act))


def _may_look(backstage: Backstage, who: Caller) -> None:
    now = backstage.clock()
    why = may_audit(who.principal, now)
    if why is not None and not administers(who.principal, "*", now):
        raise ProblemError(403, "not_allowed", why)


def _unavailable(error: KeepingError) -> ProblemError:
    return ProblemError(503, "unavailable", str(error))
