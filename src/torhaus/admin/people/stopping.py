"""The kill switch: acts that stop and release people, keys, servers and tools."""

from typing import Any

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.acts import LiftStop, MakeStop
from torhaus.audit.acts import Act
from torhaus.model.desk import Desk
from torhaus.model.stops import Stop, StopKind
from torhaus.policy.approvers import administers
from torhaus.policy.house import may, right

STOPS = "stops"


async def make_stop(desk: Desk, scene: Scene, act: MakeStop) -> Effect | Refusal:
    target = act.target.strip()
    target = target.lower() if act.kind is StopKind.USER else target
    tried = Act(operation="stop.made", facts=_facts(act.kind, target, act.reason))
    why = _may(scene, act.kind, target)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    wrong = await _unfit(desk, scene, act, target)
    if wrong is not None:
        return Refusal("invalid", wrong, tried)
    if act.kind is StopKind.USER and target == scene.actor.email:
        return Refusal("not_allowed", "nobody stops himself: ask somebody else", tried)
    stop = Stop(
        id=scene.id,
        kind=act.kind,
        target=target,
        reason=act.reason.strip(),
        created=scene.now,
        created_by=scene.actor.email,
        expires=act.expires,
    )
    await desk.stops.add(stop)
    done = msgspec.structs.replace(tried, after={"stop": stop.id, "expires": stop.expires})
    return Effect(result=stop, act=done, rule=_rule(scene, act.kind), people=True, stop=stop)


async def lift_stop(desk: Desk, scene: Scene, act: LiftStop) -> Effect | Refusal:
    stop = await desk.stops.get(act.id)
    if stop is None:
        tried = Act(operation="stop.lifted", facts={"stop": act.id[:64]})
        why = may(scene.actor, STOPS, scene.now)
        if why is not None:
            return Refusal("not_allowed", why, tried)
        return Refusal("not_found", "there is no such stop", tried)
    facts = {"stop": stop.id, **_facts(stop.kind, stop.target, stop.reason)}
    tried = Act(operation="stop.lifted", facts=facts)
    why = _may(scene, stop.kind, stop.target)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    if not await desk.stops.lift(stop.id, scene.actor.email, scene.now):
        return Refusal("conflict", "this stop is lifted or over already", tried)
    lifted = msgspec.structs.replace(stop, lifted_at=scene.now, lifted_by=scene.actor.email)
    done = msgspec.structs.replace(
        tried, before={"expires": stop.expires}, after={"lifted": scene.now}
    )
    return Effect(result=lifted, act=done, rule=_rule(scene, stop.kind), people=True, stop=lifted)


def _facts(kind: StopKind, target: str, reason: str) -> dict[str, Any]:
    return {"kind": kind.value, "target": target[:254], "reason": reason.strip()[:500]}


def _may(scene: Scene, kind: StopKind, target: str) -> str | None:
    """Administrators of a server may stop it, and its tools."""
    why = may(scene.actor, STOPS, scene.now)
    if why is None or kind in (StopKind.USER, StopKind.KEY):
        return why
    return None if administers(scene.actor, target.partition("/")[0], scene.now) else why


def _rule(scene: Scene, kind: StopKind) -> str:
    held = may(scene.actor, STOPS, scene.now) is None
    return right(STOPS) if held else f"admin on the {kind.value}"


async def _unfit(desk: Desk, scene: Scene, act: MakeStop, target: str) -> str | None:
    if not act.reason.strip() or len(act.reason) > 500:
        return "say why, in at most 500 characters: those who are refused are told"
    if act.expires is not None and not scene.now < act.expires < 1e12:
        return "a stop must end in the future"
    rules = scene.rules
    match act.kind:
        case StopKind.USER:
            known = target in rules.principals or await desk.persons.get(target) is not None
            return None if known else "there is nobody with this address"
        case StopKind.KEY:
            known = target.startswith("file_") or await desk.credentials.named(target) is not None
            return None if known else "there is no key with this id: torhaus keys list"
        case StopKind.SERVER:
            return None if target in rules.servers else f"there is no server {target[:64]!r}"
        case StopKind.TOOL:
            server, _, tool = target.partition("/")
            if server in rules.servers and tool:
                return None
            return "write SERVER/TOOL, such as github/delete_repository"
