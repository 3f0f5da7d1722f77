"""An administrator's word that somebody signs in with another account from now on."""

from collections import Counter

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.acts import Ended
from torhaus.admin.people.changing import PEOPLE, unknown
from torhaus.admin.signin.acts import RelinkPerson
from torhaus.admin.signin.passwords import beyond
from torhaus.admin.signin.sessions import end_all
from torhaus.audit.acts import Act
from torhaus.identity.addresses import one_form
from torhaus.identity.keys import digest
from torhaus.model.accounts import Leaving
from torhaus.model.credentials import FamilyKind
from torhaus.model.desk import Desk
from torhaus.model.person import FILE, Person, PersonKind, PersonState
from torhaus.model.signin import Identity
from torhaus.policy.house import may, right

RELINK = "relink"
RELINK_LASTS = 7 * 86400.0
IDP = "idp:"
_AWAY = (PersonState.GONE, PersonState.SUSPENDED)


async def relink_person(desk: Desk, scene: Scene, act: RelinkPerson) -> Effect | Refusal:
    """The accounts he has are nobody's, and what he came in with by them ends.

    The next one that vouches for his address is his, whatever else the provider may link.
    """
    email = one_form(act.email)
    tried = Act(
        operation="person.relinked",
        facts={"person": email[:254], "provider": act.provider[:64]},
    )
    why = may(scene.actor, PEOPLE, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    row = await desk.persons.get(email)
    refusal = _senseless(scene, email, row, act.provider, tried)
    if refusal is not None:
        return refusal
    why = beyond(scene, email, row)
    if why is not None:
        return Refusal("not_allowed", f"whoever signs in may all that he may, and {why}", tried)
    closed, ended = await _parted(desk, scene, email)
    await desk.departures.sweep(scene.now)
    await desk.departures.take(ticket(email), scene.now)
    await desk.departures.add(
        Leaving(
            digest=ticket(email),
            kind=RELINK,
            provider=act.provider,
            created=scene.now,
            expires=scene.now + RELINK_LASTS,
        )
    )
    after = {"accounts": 0, "until": scene.now + RELINK_LASTS}
    before = {"accounts": closed["accounts"]}
    told = msgspec.structs.replace(tried, before=before, after=after)
    person = row or Person(email=email, owner=FILE)
    result = Ended(person=person, closed={name: count for name, count in closed.items() if count})
    return Effect(result=result, act=told, rule=right(PEOPLE), ended=ended, people=True)


def _senseless(
    scene: Scene, email: str, row: Person | None, provider: str, tried: Act
) -> Refusal | None:
    known = scene.rules.principals.get(email)
    if row is None and known is None:
        return unknown(tried)
    if row is not None and row.state in _AWAY:
        fix = "torhaus users reinstate"
        return Refusal("conflict", f"this person is {row.state.value}", tried, fix)
    program = row is not None and row.kind is PersonKind.SERVICE
    if program or (known is not None and known.responsible is not None):
        return Refusal("invalid", "a service account does not sign in", tried)
    names = [each.name for each in scene.rules.providers]
    if not names or provider not in ("", *names):
        fix = f"one of: {', '.join(names)}" if names else "the file names none under auth"
        return Refusal("invalid", "there is no such identity provider", tried, fix)
    return None


async def relinked(desk: Desk, scene: Scene, email: str, identity: Identity) -> bool:
    """Whether an administrator waits for this account of his. Changes nothing."""
    found = await desk.departures.get(ticket(email), scene.now)
    if found is None or found.kind != RELINK:
        return False
    return found.provider in ("", identity.provider)


def ticket(email: str) -> bytes:
    """Under which the word is kept; nobody brings it, so it need not be a secret."""
    return digest(f"{RELINK} {email}")


async def _parted(desk: Desk, scene: Scene, email: str) -> tuple[Counter[str], tuple[bytes, ...]]:
    closed: Counter[str] = Counter()
    ended: tuple[bytes, ...] = ()
    for link in await desk.identities.of(email):
        sessions = await desk.families.told_by(link.issuer, link.subject, None)
        closed["sessions"] += sum(each.kind is FamilyKind.SESSION for each in sessions)
        by = scene.actor.email
        ended += await end_all(desk, scene, sessions, by, "another account from now on")
        await desk.teams.set(email, f"{IDP}{link.provider}", ())
        await desk.vault.disown(link.provider, email)
    closed["accounts"] += await desk.identities.remove(email)
    return closed, ended
