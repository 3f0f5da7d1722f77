"""The first administrator: while nobody can administer, whoever has the terminal can make one."""

from collections.abc import Iterable

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.signin.acts import FirstAdministrator
from torhaus.audit.acts import Act
from torhaus.model.access import Access
from torhaus.model.desk import Desk
from torhaus.model.people import Phase, Principal
from torhaus.model.person import Person
from torhaus.model.providers import Provider, Terms
from torhaus.model.rules import Rules
from torhaus.model.texts import marked
from torhaus.policy.approvers import administers, administrators, govern

SETUP = "setup"
LASTS = 24 * 3600.0
MADE = "person.added"
NO_ROLE = marked(
    "no role of the file opens everything: add roles: {admin: {permissions: ['*']}} to it, "
    "and open this page again"
)
KNOWN = marked("this address is known already and does not administer: choose another")
TOO_LATE = marked("somebody can administer already: ask him for an invitation")
USED = marked("this link has been used, or is over: restart the gateway for a new one")


async def needed(desk: Desk, rules: Rules, now: float) -> bool:
    """Whether nobody who administers everything could prove who he is, now or by a provider."""
    can = set(administrators(rules, "*", now))
    for provider in rules.providers:
        if _makes_one(provider.terms, rules) or await _knows_one(desk, provider, can):
            return False
    if any(each.email in can for each in rules.keys.values()):
        return False
    for email in can:
        if await desk.passwords.get(email) is not None:
            return False
    return True


def _makes_one(terms: Terms, rules: Rules) -> bool:
    """Whether a group of the provider can make somebody an administrator."""
    teams = {each.name: each.roles for each in rules.teams if not each.servers}
    found = [terms.everyone, *terms.groups.values()]
    roles = [
        (*each.roles, *(role for group in each.groups for role in teams.get(group, ())))
        for each in found
    ]
    return any(govern(each, rules) for each in roles)


async def _knows_one(desk: Desk, provider: Provider, can: Iterable[str]) -> bool:
    """Whether it can let an administrator in: he came before, or his address is believed."""
    terms = provider.terms
    for email in can:
        links = await desk.identities.of(email)
        if any(each.provider == provider.name for each in links):
            return True
        fits = not terms.domains or email.rpartition("@")[2] in terms.domains
        if not links and terms.link_by_email and fits:
            return True
    return False


def role_for(rules: Rules, now: float) -> str | None:
    """The first role of the file that administers everything."""
    for role in rules.roles:
        access = rules.role_access.get(role, {})
        everywhere = access.get("*", Access())
        trial = Principal(
            id="x@x", email="x@x", phases=(Phase(roles=(role,), access={"*": everywhere}),)
        )
        if administers(trial, "*", now):
            return role
    return None


async def first_administrator(
    desk: Desk, scene: Scene, act: FirstAdministrator
) -> Effect | Refusal:
    told = Act(operation=MADE, facts={"email": act.email, "first": True})
    if not await needed(desk, scene.rules, scene.now):
        return Refusal("conflict", TOO_LATE, told)
    named = act.email in administrators(scene.rules, "*", scene.now)
    role = role_for(scene.rules, scene.now)
    if role is None and not named:
        return Refusal("unavailable", NO_ROLE, told)
    known = act.email in scene.rules.principals or await desk.persons.get(act.email) is not None
    if known and not named:
        return Refusal("conflict", KNOWN, told)
    if await desk.departures.take(act.ticket, scene.now) is None:
        return Refusal("conflict", USED, told)
    await desk.passwords.put(
        msgspec.structs.replace(act.password, email=act.email, changed=scene.now)
    )
    if named or role is None:
        told = msgspec.structs.replace(told, after={"password": True})
        return Effect(result=None, act=told, rule="first run")
    person = Person(
        email=act.email,
        name=act.name,
        roles=(role,),
        created=scene.now,
        created_by="first run",
        changed=scene.now,
    )
    await desk.persons.put(person)
    told = msgspec.structs.replace(told, after={"roles": [role]})
    return Effect(result=person, act=told, rule="first run", people=True, persons=(person,))
