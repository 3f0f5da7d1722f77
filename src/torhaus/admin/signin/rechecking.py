"""What becomes of somebody whose directory says something else about him than before."""

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.signin.linking import gained_anything, terms_of
from torhaus.admin.signin.relinking import IDP
from torhaus.admin.signin.sessions import shut_out
from torhaus.audit.acts import Act
from torhaus.identity.gains import gained
from torhaus.model.accounts import Link
from torhaus.model.desk import Desk
from torhaus.model.person import Person
from torhaus.model.providers import Gains

RECHECKED = "signin.rechecked"
_SHOWN = 50


class Recheck(msgspec.Struct, frozen=True, kw_only=True):
    """A directory was asked again. `groups`: as it names them now; None: he is not there."""

    provider: str
    issuer: str
    subject: str
    groups: tuple[str, ...] | None


async def recheck(desk: Desk, scene: Scene, act: Recheck) -> Effect | Refusal:
    """His roles follow. Who is gone, or has nothing left, is signed out everywhere."""
    told = Act(operation=RECHECKED, facts={"provider": act.provider})
    link = await desk.identities.get(act.issuer, act.subject)
    terms = terms_of(scene, act.provider)
    if link is None or terms is None:
        return Refusal("not_found", "there is no such account", told)
    groups = act.groups or ()
    gains = Gains() if act.groups is None else gained(terms, groups)
    person = await _person(desk, scene, link, act.provider, gains)
    teams = await desk.teams.set(link.email, f"{IDP}{act.provider}", gains.groups)
    await desk.identities.put(msgspec.structs.replace(link, groups=groups))
    mine = await _owned(desk, link.email, act.provider)
    out = act.groups is None or (mine and not gained_anything(gains))
    ended = await shut_out(desk, scene, act.provider, act.issuer, act.subject) if out else ()
    told = msgspec.structs.replace(
        told,
        facts={"provider": act.provider, "person": link.email},
        before={"groups": list(link.groups)[:_SHOWN], "there": True},
        after={"groups": list(groups)[:_SHOWN], "there": act.groups is not None},
    )
    changed = () if person is None else (person,)
    return Effect(
        result=len(ended),
        act=told,
        rule="identity provider",
        ended=ended,
        persons=changed,
        people=bool(changed) or teams,
    )


async def _person(
    desk: Desk, scene: Scene, link: Link, provider: str, gains: Gains
) -> Person | None:
    """The row of somebody whom this provider owns, where his roles are others now."""
    before = await desk.persons.get(link.email)
    if before is None or before.owner != f"{IDP}{provider}" or before.roles == gains.roles:
        return None
    after = msgspec.structs.replace(before, roles=gains.roles, changed=scene.now)
    await desk.persons.put(after)
    return after


async def _owned(desk: Desk, email: str, provider: str) -> bool:
    person = await desk.persons.get(email)
    return person is not None and person.owner == f"{IDP}{provider}"
