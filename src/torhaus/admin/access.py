"""Acts on requests for access and on grants."""

from typing import Any

import msgspec

from torhaus.admin.acts import DecideAccess, Effect, Refusal, RequestAccess, RevokeGrant, Scene
from torhaus.admin.deciding import unreadable
from torhaus.admin.facts import grant_facts, request_act
from torhaus.admin.rights import may_govern, may_grant
from torhaus.audit.acts import Act
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.desk import Desk
from torhaus.model.grant import AccessRequest, Asked, Grant, Granted
from torhaus.model.people import Principal
from torhaus.policy.approvers import active, is_person, is_same

DAY = 86400.0
SHORTEST, LONGEST = 60.0, 90 * DAY
WAITING = 7 * DAY
"""Seconds a request for access can be decided."""
MOST_OPEN = 20
"""Requests for access one person can have waiting."""


async def request_access(desk: Desk, scene: Scene, act: RequestAccess) -> Effect | Refusal:
    actor, now = scene.actor, scene.now
    tried = Act(
        operation="access.requested", facts={"role": act.role[:128], "seconds": act.seconds}
    )
    refusal = _unreasonable(scene, act, tried)
    if refusal is not None:
        return refusal
    waiting = await desk.access.requests(Asked.PENDING, 1000)
    own = [each for each in waiting if is_same(actor, each.requester, each.email)]
    if any(each.role == act.role and each.expires > now for each in own):
        text = f"you have asked for {act.role} already, and it is not decided yet"
        return Refusal("conflict", text, tried)
    if len(own) >= MOST_OPEN:
        text = f"{MOST_OPEN} of your requests are waiting; more are not taken"
        return Refusal("conflict", text, tried)
    request = AccessRequest(
        id=scene.id,
        state=Asked.PENDING,
        requester=actor.id,
        email=actor.email,
        role=act.role,
        reason=act.reason,
        seconds=act.seconds,
        created=now,
        expires=now + WAITING,
    )
    await desk.access.add_request(request)
    return Effect(
        result=request,
        act=request_act(request, "access.requested", after=_state(request)),
        rule="own request",
        news=(_asked(request, scene),),
    )


def _unreasonable(scene: Scene, act: RequestAccess, tried: Act) -> Refusal | None:
    actor, now = scene.actor, scene.now
    if not is_person(actor) or actor.id not in scene.rules.principals:
        text = "access is granted to people with an e-mail address in the configuration"
        return Refusal("not_allowed", text, tried, "call with a key of your own")
    if not active(actor, now):
        return Refusal("not_allowed", "your access has ended", tried)
    if act.role not in scene.rules.roles:
        known = ", ".join(sorted(scene.rules.roles)[:20])
        return Refusal("invalid", f"there is no role {act.role[:128]!r}", tried, f"one of: {known}")
    if act.role in actor.roles(now):
        return Refusal("conflict", f"you have the role {act.role} already", tried)
    if not SHORTEST <= act.seconds <= LONGEST:  # also refuses NaN
        return Refusal("invalid", "access is granted for 1 minute to 90 days", tried, "as 4h, 2d")
    wrong = unreadable(act.reason)
    return None if wrong is None else Refusal("invalid", f"the reason {wrong}", tried)


async def decide_access(desk: Desk, scene: Scene, act: DecideAccess) -> Effect | Refusal:
    new = Asked.APPROVED if act.approve else Asked.DENIED
    request = await desk.access.request(act.id)
    if request is None:
        gone = Act(operation=f"access.{new.value}", facts={"request": act.id[:64]})
        return Refusal("not_found", "there is no such request for access", gone)
    tried = request_act(request, f"access.{new.value}")
    why = _may_decide(scene, request, approve=act.approve)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    refusal = _impossible(scene, request, act, tried)
    if refusal is not None:
        return refusal
    granted = _granted(request, scene, act.until) if act.approve else None
    decided = msgspec.structs.replace(
        request,
        state=new,
        decided_by=scene.actor.id,
        decided_at=scene.now,
        comment=act.comment,
        grant=None if granted is None else granted.grant.id,
    )
    if not await desk.access.decide_request(decided):
        return Refusal("conflict", "this request is decided already", tried)
    if granted is not None:
        await desk.access.add_grant(granted)
    return Effect(
        result=decided,
        act=request_act(
            decided, tried.operation, before=_state(request), after=_decided(decided, granted)
        ),
        rule=f"admin for {request.role}",
        news=(_told(decided, scene),),
        grants=granted is not None,
    )


def _may_decide(scene: Scene, request: AccessRequest, *, approve: bool) -> str | None:
    if is_same(scene.actor, request.requester, request.email):
        return "nobody decides about his own access: ask somebody else"
    known = scene.rules.principals.get(scene.actor.id)
    if known is None or not is_person(known):
        return "this needs a person or program of the configuration"
    may = may_grant if approve else may_govern
    return may(known, request.role, scene.rules, scene.now)


def _impossible(
    scene: Scene, request: AccessRequest, act: DecideAccess, tried: Act
) -> Refusal | None:
    if request.state is not Asked.PENDING:
        return Refusal("conflict", f"this request is {request.state.value} already", tried)
    if request.expires <= scene.now:
        return Refusal("conflict", "this request has expired: it has to be made again", tried)
    wrong = unreadable(act.comment)
    if wrong is not None:
        return Refusal("invalid", f"the comment {wrong}", tried)
    if act.until is not None and not 0 < act.until - scene.now <= LONGEST:
        return Refusal("invalid", "the end is not within the next 90 days", tried)
    if _subject(scene, request) is None:
        text = f"{request.email} is not in the configuration any more"
        return Refusal("conflict", text, tried)
    return None


def _subject(scene: Scene, request: AccessRequest) -> Principal | None:
    return scene.rules.principals.get(request.requester)


def _granted(request: AccessRequest, scene: Scene, until: float | None) -> Granted:
    ends = scene.now + request.seconds if until is None else until
    grant = Grant(
        id=scene.id,
        user=request.email,
        role=request.role,
        begins=scene.now,
        ends=ends,
        notify=min(DAY, (ends - scene.now) / 10),
    )
    return Granted(grant=grant, granted_by=scene.actor.id, created=scene.now)


async def revoke_grant(desk: Desk, scene: Scene, act: RevokeGrant) -> Effect | Refusal:
    granted = await desk.access.grant(act.id)
    if granted is None:
        tried = Act(operation="access.revoked", facts={"grant": act.id[:64]})
        in_file = act.id.startswith("file:")
        fix = "grants of the file end where they stand, in temporary_access" if in_file else ""
        return Refusal("not_found", "there is no such grant in the database", tried, fix)
    grant = granted.grant
    before = {"ends": grant.ends}
    tried = Act(operation="access.revoked", facts=grant_facts(grant), before=before)
    own = is_same(scene.actor, grant.user, grant.user)
    why = None if own else may_govern(scene.actor, grant.role, scene.rules, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    if not await desk.access.revoke(act.id, scene.actor.id, scene.now):
        return Refusal("conflict", "this grant has ended already", tried)
    revoked = msgspec.structs.replace(granted, revoked_by=scene.actor.id, revoked_at=scene.now)
    done = msgspec.structs.replace(tried, after={"ends": scene.now})
    rule = "own grant" if own else f"admin for {grant.role}"
    return Effect(result=revoked, act=done, rule=rule, grants=True)


def _state(request: AccessRequest) -> dict[str, Any]:
    return {"state": request.state.value}


def _decided(request: AccessRequest, granted: Granted | None) -> dict[str, Any]:
    facts = {} if granted is None else grant_facts(granted.grant)
    return {**_state(request), **facts}


def _asked(request: AccessRequest, scene: Scene) -> Announcement:
    deciders = (
        each.email
        for each in scene.rules.principals.values()
        if is_person(each)
        and not is_same(each, request.requester, request.email)
        and may_grant(each, request.role, scene.rules, scene.now) is None
    )
    return Announcement(
        kind=Kind.ACCESS_REQUESTED,
        text=f"{request.email} asks for the role {request.role}.",
        at=scene.now,
        to=tuple(sorted(deciders)[:50]),
        facts={"request": request.id, "role": request.role, "requester": request.email},
    )


def _told(request: AccessRequest, scene: Scene) -> Announcement:
    return Announcement(
        kind=Kind.ACCESS_DECIDED,
        text=f"The request of {request.email} for {request.role} was {request.state.value}.",
        at=scene.now,
        to=(request.email,),
        facts={"request": request.id, "role": request.role, "state": request.state.value},
    )
