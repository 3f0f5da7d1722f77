"""`Admin.perform`: who may, does, in one transaction and with one record."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog

from torhaus.admin.access import decide_access, request_access, revoke_grant
from torhaus.admin.acts import (
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
from torhaus.admin.means import Means
from torhaus.admin.tools import AcceptTool, RejectTool, accept_tool, reject_tool
from torhaus.audit.acts import act_record, failed_record, refused_record, user
from torhaus.model.desk import Desk
from torhaus.model.people import Principal
from torhaus.model.ports import StateError
from torhaus.model.record import Record, RecordUser
from torhaus.redact.guard import Guard

log = structlog.get_logger()

Work = Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal]]
"""Checks the actor's right, then changes what the desk holds; on a refusal it changes nothing."""

WORKS: Mapping[type, Work] = {
    DecideApproval: decide_approval,
    CancelApproval: cancel_approval,
    RequestAccess: request_access,
    DecideAccess: decide_access,
    RevokeGrant: revoke_grant,
    AcceptTool: accept_tool,
    RejectTool: reject_tool,
}


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

    async def perform(self, actor: Principal, act: Any, ip: str = "") -> Done | Refusal:
        """Do it, if the actor may. `act`: one of `WORKS`; `ip`: where he is.

        The record is durable before the change is kept. Raises StateError and LedgerError, and
        then nothing was changed. Needs a task.
        """
        means = self._means
        act = _clean(act, means.guard)
        scene = Scene(actor, means.rules(), means.clock(), means.ids())
        who = user(actor.email, actor.roles(scene.now), ip)
        work = self._works[type(act)]
        kept: Effect | None = None
        try:
            async with means.office.write() as desk:
                found = await work(desk, scene, act)
                if isinstance(found, Effect):
                    await means.note(_done(found, who, scene))
                    kept = found
        except StateError as error:
            if kept is not None:
                await means.note(_lost(kept, who, scene, str(error)))
            raise
        if isinstance(found, Refusal):
            await means.note(_refused(found, who, scene))
            return found
        log.info("act.done", act=found.act.operation, id=scene.id)
        for news in found.news:
            means.announce(news)
        self._happened(found)
        return Done(found.result)


def _clean(act: Any, guard: Guard) -> Any:
    """The act without secrets in its texts: others read reasons and comments, for years."""
    texts = {
        name: clean
        for name, value in msgspec.structs.asdict(act).items()
        if isinstance(value, str) and (clean := guard.text(value)) is not value
    }
    return msgspec.structs.replace(act, **texts) if texts else act


def _done(effect: Effect, who: RecordUser, scene: Scene) -> Record:
    reason = f"{scene.actor.email} may do this"
    return act_record(effect.act, who, id=scene.id, at=scene.now, rule=effect.rule, reason=reason)


def _refused(refusal: Refusal, who: RecordUser, scene: Scene) -> Record:
    return refused_record(
        refusal.act, who, id=scene.id, at=scene.now, rule=refusal.code, reason=refusal.reason
    )


def _lost(effect: Effect, who: RecordUser, scene: Scene, why: str) -> Record:
    return failed_record(effect.act, who, id=scene.id, at=scene.now, rule=effect.rule, reason=why)
