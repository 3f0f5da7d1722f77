"""Who answers for a service account: a person who is here."""

from torhaus.admin.acts import Refusal, Scene
from torhaus.audit.acts import Act
from torhaus.identity.addresses import one_form
from torhaus.model.desk import Desk
from torhaus.model.person import PersonKind, PersonState
from torhaus.policy.approvers import active

NAME_ONE = "name a person who is here"


async def answered(
    desk: Desk, scene: Scene, kind: PersonKind, responsible: str, tried: Act
) -> Refusal | None:
    """A service account has a person who answers for it, and a person has none."""
    if kind is PersonKind.USER:
        text = "only a service account has somebody who answers for it"
        return Refusal("invalid", text, tried) if responsible else None
    if not responsible:
        fix = "name who answers for it: responsible"
        return Refusal("invalid", "a service account needs a person", tried, fix)
    why = await unanswerable(desk, scene, one_form(responsible))
    return None if why is None else Refusal("invalid", why, tried, NAME_ONE)


async def unanswerable(desk: Desk, scene: Scene, email: str) -> str | None:
    """Why this address answers for none, as a sentence; None for a person who is here."""
    known, row = scene.rules.principals.get(email), await desk.persons.get(email)
    here = row is None or row.state is PersonState.ACTIVE
    if known is None or "@" not in email or not here or not active(known, scene.now):
        return f"nobody who is here has the address {email[:254]!r}"
    program = row is not None and row.kind is PersonKind.SERVICE
    if program or known.responsible is not None:
        return f"{email} is a service account itself and answers for none"
    return None
