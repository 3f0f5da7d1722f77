"""Acts that make and change people of the database."""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.acts import AddPerson, ChangePerson
from torhaus.admin.people.answering import answered
from torhaus.admin.people.owners import elsewhere, of_file
from torhaus.admin.rights import may_grant
from torhaus.audit.acts import Act
from torhaus.identity.addresses import address, one_form
from torhaus.model.desk import Desk
from torhaus.model.person import DATABASE, Person, PersonKind, PersonState
from torhaus.model.rules import Rules
from torhaus.policy.house import may, right

PEOPLE = "people"
MOST_ROLES = 50
_DOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?")


async def add_person(desk: Desk, scene: Scene, act: AddPerson) -> Effect | Refusal:
    email = one_form(act.email)
    tried = Act(operation="person.added", facts={"person": email[:254]})
    why = may(scene.actor, PEOPLE, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    wrong = unfit(act.email, act.name, act.expires, scene.now)
    wrong = wrong or unknown_server(scene.rules, act.servers)
    if wrong is not None:
        return Refusal("invalid", wrong, tried)
    row = await desk.persons.get(email)
    taken = email in scene.rules.principals if row is None else row.state is not PersonState.GONE
    if taken:
        return Refusal("conflict", "there is somebody with this address already", tried)
    if email in scene.rules.filed:
        fix = "torhaus users reinstate"
        return Refusal("conflict", "the file has this person, who is gone", tried, fix)
    refusal = givable(scene, act.roles, tried)
    refusal = refusal or await answered(desk, scene, act.kind, act.responsible, tried)
    if refusal is not None:
        return refusal
    person = Person(
        email=email,
        kind=act.kind,
        state=PersonState.ACTIVE,
        owner=DATABASE,
        name=act.name,
        roles=tuple(dict.fromkeys(act.roles)),
        servers=tuple(dict.fromkeys(act.servers)),
        expires=act.expires,
        responsible=one_form(act.responsible),
        epoch=0 if row is None else row.epoch + 1,
        created=scene.now if row is None else row.created,
        created_by=scene.actor.email,
        changed=scene.now,
    )
    return await put(desk, row, person, tried)


async def change_person(desk: Desk, scene: Scene, act: ChangePerson) -> Effect | Refusal:
    email = one_form(act.email)
    tried = Act(operation="person.changed", facts={"person": email[:254]})
    why = may(scene.actor, PEOPLE, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    row = await desk.persons.get(email)
    refusal = _closed(row, scene, email, tried)
    if row is None or refusal is not None:
        return refusal or unknown(tried)
    if email == scene.actor.email:
        return Refusal("not_allowed", "nobody changes his own access: ask somebody else", tried)
    wrong = unfit(act.email, act.name or "", act.expires, scene.now)
    wrong = wrong or unknown_server(scene.rules, act.servers or ())
    if wrong is not None:
        return Refusal("invalid", wrong, tried)
    person = _changed(row, act, scene.now)
    given = [each for each in person.roles if each not in row.roles]
    if wider(row.servers, person.servers):
        given = list(dict.fromkeys((*person.roles, *await _of_teams(desk, scene.rules, email))))
    refusal = givable(scene, given, tried)
    if act.responsible is not None:
        refusal = refusal or await answered(desk, scene, row.kind, act.responsible, tried)
    if refusal is not None:
        return refusal
    return await put(desk, row, person, tried)


def _changed(row: Person, act: ChangePerson, now: float) -> Person:
    kept = row.expires if act.expires is None else act.expires
    return msgspec.structs.replace(
        row,
        name=row.name if act.name is None else act.name,
        roles=row.roles if act.roles is None else tuple(dict.fromkeys(act.roles)),
        servers=row.servers if act.servers is None else tuple(dict.fromkeys(act.servers)),
        expires=None if act.forever else kept,
        responsible=row.responsible if act.responsible is None else one_form(act.responsible),
        changed=now,
    )


def wider(before: tuple[str, ...], now: tuple[str, ...]) -> bool:
    """Whether roles open more servers than they did. None named means all."""
    return bool(before) and (not now or not set(now) <= set(before))


async def back(desk: Desk, scene: Scene, row: Person) -> tuple[str, ...]:
    """The roles that somebody who is away has again once he is back."""
    own = scene.rules.held.get(row.email, row.roles)
    given = (each for each in scene.rules.grants if each.user == row.email)
    lent = (each.role for each in given if each.ends > scene.now)
    found = (*own, *await _of_teams(desk, scene.rules, row.email), *lent)
    return tuple(dict.fromkeys(each for each in found if each in scene.rules.roles))


async def _of_teams(desk: Desk, rules: Rules, email: str) -> tuple[str, ...]:
    """The roles that somebody's teams give him."""
    given = {each.name: each.roles for each in (*await desk.teams.every(), *rules.teams)}
    return tuple(r for each in await desk.teams.of(email) for r in given.get(each.team, ()))


async def put(desk: Desk, before: Person | None, person: Person, act: Act, **more: Any) -> Effect:
    """Keep him as he is now, with what has changed in the record."""
    await desk.persons.put(person)
    now = told(person)
    old = None if before is None else told(before)
    moved = {name for name in now if old is None or old.get(name) != now[name]}
    done = msgspec.structs.replace(
        act,
        before=None if old is None else {name: old.get(name) for name in sorted(moved)},
        after={name: now[name] for name in sorted(moved)},
    )
    result = more.pop("result", person)
    rule = more.pop("rule", right(PEOPLE))
    return Effect(result=result, act=done, rule=rule, people=True, persons=(person,), **more)


def told(person: Person) -> dict[str, Any]:
    return {
        "state": person.state.value,
        "kind": person.kind.value,
        "owner": person.owner,
        "name": person.name,
        "roles": list(person.roles),
        "servers": list(person.servers),
        "expires": person.expires,
        **({"responsible": person.responsible} if person.kind is PersonKind.SERVICE else {}),
    }


def unknown(tried: Act) -> Refusal:
    return Refusal("not_found", "there is nobody with this address", tried)


def _closed(row: Person | None, scene: Scene, email: str, tried: Act) -> Refusal | None:
    """Why somebody cannot be changed here."""
    if row is None and email not in scene.rules.principals:
        return unknown(tried)
    away = row is not None and row.state is PersonState.GONE
    if away and not of_file(scene.rules, email, row):
        fix = "add this person anew"
        return Refusal("conflict", "this person is gone", tried, fix)
    return elsewhere(scene.rules, email, row, tried)


def unfit(email: str, name: str, expires: float | None, now: float) -> str | None:
    """What is wrong with what somebody is to be, as a sentence. `email`: as it was typed."""
    found = address(email.strip())
    if found is None or _DOMAIN.fullmatch(found.rpartition("@")[2]) is None:
        return "this is not an e-mail address"
    if len(name) > 200 or not name.isprintable():
        return "a name has at most 200 characters, all of which can be seen"
    if expires is not None and not now < expires < 1e12:
        return "access must end in the future"
    return None


def unknown_server(rules: Rules, names: Iterable[str]) -> str | None:
    """That one of these is no server, as a sentence."""
    found = next((name for name in names if name not in rules.servers), None)
    return None if found is None else f"there is no server {found[:64]!r}"


def givable(scene: Scene, roles: Iterable[str], tried: Act) -> Refusal | None:
    """Why the actor may not give somebody these roles."""
    roles = tuple(roles)
    if len(roles) > MOST_ROLES:
        return Refusal("invalid", f"at most {MOST_ROLES} roles", tried)
    for role in roles:
        if role not in scene.rules.roles:
            known = ", ".join(sorted(scene.rules.roles)[:20])
            text = f"there is no role {role[:128]!r}"
            return Refusal("invalid", text, tried, f"one of: {known}")
        why = may_grant(scene.actor, role, scene.rules, scene.now)
        if why is not None:
            return Refusal("not_allowed", why, tried)
    return None
