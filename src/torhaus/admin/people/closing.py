"""Everything that came of somebody's access, closed in the transaction that ends it."""

from collections import Counter
from collections.abc import Mapping

import msgspec

from torhaus.admin.acts import Scene
from torhaus.model.approval import State
from torhaus.model.credentials import CredentialKind, FamilyKind, Kept
from torhaus.model.desk import Desk
from torhaus.model.grant import Asked

MOST = 10_000
"""Open things of one kind, of everybody, that are looked through."""
_KINDS: Mapping[CredentialKind, str] = {CredentialKind.KEY: "keys", CredentialKind.ACCESS: "tokens"}


async def close(
    desk: Desk, scene: Scene, email: str, reason: str
) -> tuple[Counter[str], tuple[bytes, ...]]:
    """What was closed, by name, and the digests of what nobody gets in with any more."""
    closed = await _living(desk, scene, email)
    by, now = scene.actor.email, scene.now
    ended = await desk.families.end_all(email, by, reason, now)
    ended += await desk.credentials.end_all(email, by, now)
    closed += await _access(desk, scene, email, reason)
    closed += await _approvals(desk, email)
    closed["connections"] += await desk.vault.leave(email)
    # Or whoever gets the address after him would have two owners: these open it without a session.
    closed["passwords"] += await desk.passwords.remove(email)
    closed["accounts"] += await desk.identities.remove(email)
    for invitation in await desk.invitations.newest(MOST):
        if invitation.state == "pending" and email in (invitation.email, invitation.created_by):
            name = "invitations" if invitation.email == email else "invitations_sent"
            closed[name] += await desk.invitations.decide(invitation.id, "revoked", now)
    for member in await desk.teams.of(email):
        closed["teams"] += await desk.teams.leave(member)
    return closed, ended


async def _living(desk: Desk, scene: Scene, email: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for family in await desk.families.of(email):
        if family.ended is None and family.expires > scene.now:
            found["sessions" if family.kind is FamilyKind.SESSION else "consents"] += 1
    for kept in await desk.credentials.of(email):
        name = _KINDS.get(kept.credential.kind)
        if name is not None and _alive(kept, scene.now):
            found[name] += 1
    return found


def _alive(kept: Kept, now: float) -> bool:
    expires = kept.credential.expires
    return kept.ended is None and (expires is None or expires > now)


async def _access(desk: Desk, scene: Scene, email: str, reason: str) -> Counter[str]:
    found: Counter[str] = Counter()
    by, now = scene.actor.email, scene.now
    for grant in await desk.access.in_force(now):
        if grant.user == email:
            found["grants"] += await desk.access.revoke(grant.id, by, now)
    for request in await desk.access.requests(Asked.PENDING, MOST):
        if request.email == email:
            gone = msgspec.structs.replace(
                request, state=Asked.CANCELLED, decided_by=by, decided_at=now, comment=reason
            )
            found["requests"] += await desk.access.decide_request(gone)
    return found


async def _approvals(desk: Desk, email: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for approval in await desk.approvals.of(email):
        moved = await desk.approvals.move(approval.id, approval.state, State.CANCELLED)
        found["approvals"] += moved
    return found
