"""`Admin.perform`: who may, does, in one transaction and with one record."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog

from torhaus.admin.access import decide_access, request_access, revoke_grant
from torhaus.admin.acts import (
    Burnt,
    CancelApproval,
    DecideAccess,
    DecideApproval,
    Done,
    Effect,
    Refusal,
    RequestAccess,
    RevokeGrant,
    Scene,
)
from torhaus.admin.deciding import cancel_approval, decide_approval
from torhaus.admin.governing import FIX, Ground, Left, lessens, trouble
from torhaus.admin.means import Means
from torhaus.admin.people.works import PEOPLE_WORKS
from torhaus.admin.scopes import may_try, outside
from torhaus.admin.tools import AcceptTool, RejectTool, accept_tool, reject_tool
from torhaus.audit.acts import Who, act_record, came, failed_record, refused_record
from torhaus.model.desk import Desk
from torhaus.model.people import Principal
from torhaus.model.ports import StateError
from torhaus.model.record import Record
from torhaus.redact.guard import Guard

log = structlog.get_logger()

Work = Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal | Burnt]]
"""Checks the actor's right, then changes what the desk holds.

On a `Refusal` nothing of it is kept. Works whose refusal keeps what was used up say `Burnt`.
"""

WORKS: Mapping[type, Work] = {
    DecideApproval: decide_approval,
    CancelApproval: cancel_approval,
    RequestAccess: request_access,
    DecideAccess: decide_access,
    RevokeGrant: revoke_grant,
    AcceptTool: accept_tool,
    RejectTool: reject_tool,
    **PEOPLE_WORKS,
}

Judge = Callable[[Scene], Refusal | None]
"""Looks at what was read before, and waits for nothing."""


class Admin:
    """The one door. `happened` is told of every effect once it is kept."""

    def __init__(
        self,
        means: Means,
        happened: Callable[[Effect], None],
        works: Mapping[type, Work] = WORKS,
    ) -> None:
        self._means = means
        self._happened = happened
        self._works = works

    async def refused(self, actor: Principal, judge: Judge, ip: str = "") -> Refusal | None:
        """Whether what he is about to do is refused; then its record is durable, as of `perform`.

        For acts whose refusal must not wait until others have written. Raises LedgerError.
        """
        means = self._means
        scene = Scene(actor, means.rules(), means.clock(), means.ids())
        refusal = judge(scene)
        if refusal is not None:
            await means.note(_refused(refusal, came(actor, scene.now, ip), scene))
        return refusal

    async def perform(self, actor: Principal, act: Any, ip: str = "") -> Done | Refusal:
        """Do it, if the actor may. `act`: one of `WORKS`; `ip`: where he is.

        The record is durable before the change is kept; of a refusal that keeps something too.
        Raises StateError and LedgerError, and then nothing was changed. Needs a task.
        """
        means = self._means
        act = _clean(act, means.guard)
        scene = Scene(actor, means.rules(), means.clock(), means.ids())
        who = came(actor, scene.now, ip)
        match await self._carried_out(act, scene, who):
            case Effect() as effect:
                return self._done(effect, scene)
            case Burnt(refusal):
                return refusal
            case Refusal() as refusal:
                await means.note(_refused(refusal, who, scene))
                return refusal

    async def _carried_out(self, act: Any, scene: Scene, who: Who) -> Effect | Refusal | Burnt:
        """In one transaction, which of a refusal keeps nothing."""
        found: Effect | Refusal | Burnt | None = None
        try:
            async with self._means.office.write() as desk:
                found = await self._worked(desk, scene, act)
                await self._settle(found, who, scene)
        except _UndoneError as undone:
            return undone.refusal
        except StateError as error:
            if isinstance(found, Effect):
                await self._means.note(_lost(found, who, scene, str(error)))
            if not isinstance(found, Refusal):
                raise
            # Nothing of it is kept either way: only a COMMIT would have, and none was sent.
            log.warning("act.rollback.failed", id=scene.id, error=str(error))
        return found

    async def _settle(self, found: Effect | Refusal | Burnt, who: Who, scene: Scene) -> None:
        """The last of a transaction. Raises _UndoneError where nothing of it may be kept."""
        match found:
            case Effect():
                await self._noted(found, who, scene)
            case Burnt(refusal):
                await self._means.note(_refused(refusal, who, scene))
            case Refusal():
                raise _UndoneError(found)

    def _done(self, effect: Effect, scene: Scene) -> Done:
        log.info("act.done", act=effect.act.operation, id=scene.id)
        for news in effect.news:
            self._means.announce(news)
        self._happened(effect)
        return Done(effect.result)

    async def _noted(self, effect: Effect, who: Who, scene: Scene) -> None:
        """Returns once all of it is durable: what is part of the act has records of its own."""
        reason = f"{scene.actor.email} may do this"
        records = (
            act_record(
                act,
                who,
                id=f"{scene.id}.{number}" if number else scene.id,
                at=scene.now,
                rule=effect.rule,
                reason=reason,
            )
            for number, act in enumerate((effect.act, *effect.more))
        )
        await asyncio.gather(*(self._means.note(each) for each in records))

    async def _worked(self, desk: Desk, scene: Scene, act: Any) -> Effect | Refusal | Burnt:
        """A refusal too for an act that would take the last administrator away."""
        work = self._works[type(act)] if may_try(scene.actor, act) else outside
        if not lessens(act):
            return await work(desk, scene, act)
        before = await self._left(desk, scene)
        found = await work(desk, scene, act)
        if isinstance(found, Effect):
            why = trouble(before, await self._left(desk, scene))
            if why is not None:
                return Refusal("conflict", why, found.act, FIX)
        return found

    async def _left(self, desk: Desk, scene: Scene) -> Left:
        local = self._means.local()
        return await Ground(desk=desk, rules=scene.rules, now=scene.now, local=local).left()


class _UndoneError(Exception):
    """What the act has changed must not be kept: it ends its transaction."""

    def __init__(self, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.refusal = refusal


def _clean(act: Any, guard: Guard) -> Any:
    """The act without secrets in its texts: others read reasons and comments, for years."""
    texts = {
        name: clean
        for name, value in msgspec.structs.asdict(act).items()
        if isinstance(value, str) and (clean := guard.text(value)) is not value
    }
    return msgspec.structs.replace(act, **texts) if texts else act


def _refused(refusal: Refusal, who: Who, scene: Scene) -> Record:
    return refused_record(
        refusal.act, who, id=scene.id, at=scene.now, rule=refusal.code, reason=refusal.reason
    )


def _lost(effect: Effect, who: Who, scene: Scene, why: str) -> Record:
    return failed_record(effect.act, who, id=scene.id, at=scene.now, rule=effect.rule, reason=why)
