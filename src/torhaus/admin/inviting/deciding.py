"""Acts that ask people in, and take that back."""

from typing import Any

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.inviting.acts import Invite, RenewInvitation, RevokeInvitation
from torhaus.admin.people.changing import PEOPLE, givable, unfit, unknown_server
from torhaus.audit.acts import Act
from torhaus.identity.addresses import one_form
from torhaus.model.accounts import Invitation
from torhaus.model.desk import Desk
from torhaus.model.person import PersonState
from torhaus.policy.house import may, right

LONGEST = 90 * 86400.0
"""Seconds for which a link may be good."""
MESSAGE = 1000
MOST_WAITING = 1000
"""Invitations of one sender that can still be answered, and how many a list shows."""
TOO_MANY = "1000 invitations of yours wait for an answer already: revoke some first"


async def invite(desk: Desk, scene: Scene, act: Invite) -> Effect | Refusal:
    """Nobody invites to more than he could give."""
    email = one_form(act.email)
    tried = Act(operation="invitation.made", facts=_facts(email, act.roles, act.servers))
    why = may(scene.actor, PEOPLE, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    wrong = unfit(act.email, "", act.access_ends, scene.now) or _unfit(scene, act)
    if wrong is not None:
        return Refusal("invalid", wrong, tried)
    refusal = givable(scene, act.roles, tried)
    if refusal is not None:
        return refusal
    row = await desk.persons.get(email)
    known = email in scene.rules.principals or (row is not None and row.state is not _GONE)
    if known:
        return Refusal("conflict", "there is somebody with this address already", tried)
    if row is not None:
        fix = "add this person anew: torhaus users add"
        return Refusal("conflict", "this person is gone", tried, fix)
    await desk.revisions.turn()  # of two at once, one sees the other
    if await desk.invitations.waiting(email, scene.now):
        fix = "torhaus invitations resend ID, or revoke it first"
        return Refusal("conflict", "this address is invited already", tried, fix)
    if await desk.invitations.unanswered(scene.actor.email, scene.now) >= MOST_WAITING:
        return Refusal("conflict", TOO_MANY, tried)
    made = Invitation(
        id=scene.id,
        digest=act.digest,
        email=email,
        roles=tuple(dict.fromkeys(act.roles)),
        servers=tuple(dict.fromkeys(act.servers)),
        message=act.message.strip(),
        access_ends=act.access_ends,
        created=scene.now,
        created_by=scene.actor.email,
        expires=act.expires,
    )
    await desk.invitations.add(made)
    after = {"invitation": made.id, "expires": made.expires, "access_ends": made.access_ends}
    done = msgspec.structs.replace(tried, after=after)
    return Effect(result=made, act=done, rule=right(PEOPLE))


async def revoke_invitation(desk: Desk, scene: Scene, act: RevokeInvitation) -> Effect | Refusal:
    tried = Act(operation="invitation.revoked", facts={"invitation": act.id[:64]})
    found = await _pending(desk, scene, act.id, tried)
    if isinstance(found, Refusal):
        return found
    if not await desk.invitations.decide(found.id, "revoked", scene.now):
        return Refusal("conflict", "this invitation is answered already", tried)
    facts = {"invitation": found.id, "person": found.email}
    done = Act(
        operation=tried.operation,
        facts=facts,
        before={"state": "pending"},
        after={"state": "revoked"},
    )
    gone = msgspec.structs.replace(found, state="revoked", decided_at=scene.now)
    return Effect(result=gone, act=done, rule=right(PEOPLE))


async def renew_invitation(desk: Desk, scene: Scene, act: RenewInvitation) -> Effect | Refusal:
    """Whoever sends it again has to be able to give what it gives."""
    tried = Act(operation="invitation.renewed", facts={"invitation": act.id[:64]})
    found = await _pending(desk, scene, act.id, tried)
    if isinstance(found, Refusal):
        return found
    if not scene.now < act.expires <= scene.now + LONGEST:
        return Refusal("invalid", OUT_OF_TIME, tried)
    refusal = givable(scene, found.roles, tried)
    if refusal is not None:
        return refusal
    await desk.revisions.turn()
    others = await desk.invitations.unanswered(scene.actor.email, scene.now)
    counted = found.created_by == scene.actor.email and found.expires > scene.now
    if others - counted >= MOST_WAITING:
        return Refusal("conflict", TOO_MANY, tried)
    fresh = msgspec.structs.replace(
        found, digest=act.digest, expires=act.expires, created_by=scene.actor.email, delivery=""
    )
    if not await desk.invitations.renew(fresh):
        return Refusal("conflict", "this invitation is answered already", tried)
    facts = {"invitation": found.id, "person": found.email}
    done = Act(
        operation=tried.operation,
        facts=facts,
        before={"expires": found.expires},
        after={"expires": fresh.expires},
    )
    return Effect(result=fresh, act=done, rule=right(PEOPLE))


_GONE = PersonState.GONE
OUT_OF_TIME = "a link is good for at most 90 days"


async def _pending(desk: Desk, scene: Scene, id: str, tried: Act) -> Invitation | Refusal:
    why = may(scene.actor, PEOPLE, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    found = await desk.invitations.get(id)
    if found is None:
        return Refusal("not_found", "there is no such invitation", tried)
    if found.state != "pending":
        return Refusal("conflict", f"this invitation is {found.state} already", tried)
    return found


def _unfit(scene: Scene, act: Invite) -> str | None:
    if not act.roles:
        return "an invitation gives a role at least"
    unknown = unknown_server(scene.rules, act.servers)
    if unknown is not None:
        return unknown
    if not scene.now < act.expires <= scene.now + LONGEST:
        return OUT_OF_TIME
    if len(act.message) > MESSAGE or not act.message.replace("\n", "").isprintable():
        return f"a message has at most {MESSAGE} characters, all of which can be seen"
    return None


def _facts(email: str, roles: tuple[str, ...], servers: tuple[str, ...]) -> dict[str, Any]:
    facts: dict[str, Any] = {"person": email[:254], "roles": list(roles)[:50]}
    return {**facts, "servers": list(servers)[:50]} if servers else facts
