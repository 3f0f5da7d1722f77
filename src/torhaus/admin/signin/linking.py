"""Who somebody is here whom an identity provider vouches for, and what that gives him."""

from typing import Any

import msgspec

from torhaus.admin.acts import Burnt, Effect, Refusal, Scene
from torhaus.admin.signin.acts import Arrive
from torhaus.admin.signin.inviting import accepted, waiting
from torhaus.admin.signin.relinking import IDP, relinked, ticket
from torhaus.admin.signin.sessions import TAKEN, begun, refused, shut_out, spent, unwelcome
from torhaus.audit.acts import Act
from torhaus.identity.gains import gained, welcome
from torhaus.model.accounts import Link
from torhaus.model.desk import Desk
from torhaus.model.person import Person, PersonState
from torhaus.model.providers import Gains, Terms
from torhaus.model.signin import Identity
from torhaus.model.texts import marked
from torhaus.policy.approvers import active

STRANGER = marked("you have no access here: ask an administrator to add you")
NO_ADDRESS = marked(
    "your identity provider does not vouch for your e-mail address: ask an administrator"
)
OTHER_ACCOUNT = marked(
    "this address signs in with another account: use that one, or ask an administrator"
)
NOT_LINKED = marked("your account is not linked yet: ask an administrator")
WRONG_DOMAIN = marked("addresses of this domain do not sign in here")
NOT_INVITED = marked("this invitation is for another address, or is over: ask for a new one")
GONE = marked("your access has ended: ask an administrator")


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of somebody before he comes in.

    `link`: of this account. `person`: the row of his address. `configured`: whether the file has
    the address. `linked`: whether the address has an account already, of any provider.
    `awaited`: whether an administrator has said that this account is his.
    """

    link: Link | None = None
    person: Person | None = None
    configured: bool = False
    linked: bool = False
    awaited: bool = False


def stranger(identity: Identity, known: Known, terms: Terms, gains: Gains) -> str | None:
    """Why this account does not come in, as a sentence; None when it does.

    An account is known by issuer and subject. The address counts once, at the first sign-in,
    where the provider may be believed, and never for somebody who has an account already: whoever
    gets an old address at a second provider is somebody else.
    """
    if not welcome(terms, identity):
        return WRONG_DOMAIN
    if known.link is not None:
        return None
    if identity.email is None:
        return NO_ADDRESS
    if known.linked:
        return OTHER_ACCOUNT
    if known.person is not None and known.person.state is PersonState.GONE:
        return GONE
    if known.person is None and not known.configured:
        return None if gained_anything(gains) else STRANGER
    return None if terms.link_by_email or known.awaited else NOT_LINKED


def gained_anything(gains: Gains) -> bool:
    return bool(gains.roles or gains.groups)


async def arrive(desk: Desk, scene: Scene, act: Arrive) -> Effect | Refusal | Burnt:
    """What is under way is used up, whether he comes in or not."""
    if not await spent(desk, scene, act.fresh):
        return refused(act.fresh.provider, TAKEN)
    found = await _judged(desk, scene, act)
    return Burnt(found) if isinstance(found, Refusal) else found


async def _judged(desk: Desk, scene: Scene, act: Arrive) -> Effect | Refusal:
    """A refusal has written nothing."""
    provider, identity = act.fresh.provider, act.identity
    terms = terms_of(scene, provider)
    if terms is None or identity.provider != provider:
        return refused(provider, STRANGER)
    if act.invitation:
        return await _invited(desk, scene, act, terms)
    known = await recognised(desk, scene, identity)
    gains = gained(terms, identity.groups)
    why = _unfit(scene, identity, known, terms, gains) or await unwelcome(desk, scene)
    if why is not None:
        return refused(provider, why)
    if known.awaited and await desk.departures.take(ticket(scene.actor.email), scene.now) is None:
        return refused(provider, NOT_LINKED)  # another account was first
    return await _let_in(desk, scene, act, known, gains)


async def _invited(desk: Desk, scene: Scene, act: Arrive, terms: Terms) -> Effect | Refusal:
    """The invitation vouches for the address. It is used up last: a refusal leaves it."""
    provider, identity = act.fresh.provider, act.identity
    asked = await waiting(desk, scene, act.invitation)
    if asked is None or identity.email != asked.email:
        return refused(provider, NOT_INVITED)
    known, gains = await recognised(desk, scene, identity), gained(terms, identity.groups)
    guest = msgspec.structs.replace(known, person=known.person or Person(email=asked.email))
    linking = msgspec.structs.replace(terms, link_by_email=True)
    why = _unfit(scene, identity, guest, linking, gains)
    if why is None and not active(scene.actor, scene.now):
        why = GONE
    if why is not None:
        return refused(provider, why)
    if await accepted(desk, scene, act.invitation) is None:
        return refused(provider, NOT_INVITED)
    return await _let_in(desk, scene, act, await recognised(desk, scene, identity), gains)


def _unfit(
    scene: Scene, identity: Identity, known: Known, terms: Terms, gains: Gains
) -> str | None:
    if (_address(known, identity) or "") != scene.actor.email:
        return STRANGER
    return stranger(identity, known, terms, gains)


async def _let_in(desk: Desk, scene: Scene, act: Arrive, known: Known, gains: Gains) -> Effect:
    identity = act.identity
    person = await _person(desk, scene, known, identity, gains)
    teams = await desk.teams.set(scene.actor.email, f"{IDP}{identity.provider}", gains.groups)
    await desk.identities.put(_link(scene, known, identity))
    if not _has_access(known, person, gains):
        return await _locked_out(desk, scene, identity, person)
    how = "known" if known.link is not None else "new" if person is not None else "linked"
    facts: dict[str, Any] = {"account": how, "groups": list(identity.groups)[:50]}
    found = await begun(desk, scene, act.fresh, identity, facts)
    changed = () if person is None else (person,)
    return msgspec.structs.replace(
        found, persons=changed, people=bool(changed) or teams or bool(act.invitation)
    )


async def recognised(desk: Desk, scene: Scene, identity: Identity) -> Known:
    link = await desk.identities.get(identity.issuer, identity.subject)
    email = identity.email if link is None else link.email
    if email is None:
        return Known()
    return Known(
        link=link,
        person=await desk.persons.get(email),
        configured=email in scene.rules.principals,
        linked=bool(await desk.identities.of(email)),
        awaited=link is None and await relinked(desk, scene, email, identity),
    )


def terms_of(scene: Scene, provider: str) -> Terms | None:
    found = [each.terms for each in scene.rules.providers if each.name == provider]
    return found[0] if found else None


def _address(known: Known, identity: Identity) -> str | None:
    return identity.email if known.link is None else known.link.email


async def _person(
    desk: Desk, scene: Scene, known: Known, identity: Identity, gains: Gains
) -> Person | None:
    """Make or change the row of somebody the provider owns; None where nothing changes."""
    owner, before = f"{IDP}{identity.provider}", known.person
    if before is None and known.configured:
        return None
    moves = known.awaited and before is not None and before.owner.startswith(IDP)
    if before is not None and before.owner != owner and not moves:
        return None
    after = Person(
        email=scene.actor.email,
        owner=owner,
        created=scene.now,
        created_by=owner,
        roles=gains.roles,
        name=identity.name,
        changed=scene.now,
    )
    if before is not None:
        after = msgspec.structs.replace(before, owner=owner, roles=gains.roles, name=identity.name)
    if after == before:
        return None
    await desk.persons.put(msgspec.structs.replace(after, changed=scene.now))
    return after


def _has_access(known: Known, person: Person | None, gains: Gains) -> bool:
    """Whoever the provider owns has what its groups give him, and without any nothing."""
    owned = person if person is not None else known.person
    mine = owned is not None and owned.owner.startswith(IDP)
    return not mine or gained_anything(gains)


def _link(scene: Scene, known: Known, identity: Identity) -> Link:
    return Link(
        issuer=identity.issuer,
        subject=identity.subject,
        email=scene.actor.email,
        provider=identity.provider,
        groups=identity.groups,
        linked=scene.now if known.link is None else known.link.linked,
        seen=scene.now,
    )


async def _locked_out(
    desk: Desk, scene: Scene, identity: Identity, person: Person | None
) -> Effect:
    """His groups give nothing any more: that is kept, he does not come in, and is out elsewhere."""
    provider = identity.provider
    ended = await shut_out(desk, scene, provider, identity.issuer, identity.subject)
    facts = {"provider": provider, "groups": list(identity.groups)[:50], "ended": len(ended)}
    told = Act(
        operation="signin.refused",
        facts=facts,
        after={"roles": [] if person is None else list(person.roles)},
    )
    return Effect(
        result=None,
        act=told,
        rule="no group gives access",
        persons=() if person is None else (person,),
        people=True,
        ended=ended,
    )
