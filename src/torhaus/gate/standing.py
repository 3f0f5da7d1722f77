"""Whether somebody is let in at all, and where his roles come from: for people, step by step.

The order is that of `identify`; what it would say in a sentence has its place here as well.
"""

from collections.abc import Iterator, Mapping

import msgspec

from torhaus.audit.shape import timestamp
from torhaus.identity.identify import key_id, misplaced
from torhaus.model.access import Permission
from torhaus.model.credentials import Credential
from torhaus.model.people import Principal
from torhaus.model.person import PersonState
from torhaus.model.rules import Rules
from torhaus.model.standing import Standing
from torhaus.model.stops import Stop, StopKind
from torhaus.model.verdict import Step
from torhaus.policy.scopes import permissions

DATABASE, FILE = "database", "the file"


class Turned(msgspec.Struct, frozen=True):
    """Why he is not let in. `rule`: `stop:ID` of the kill switch, `default_deny` else."""

    code: str
    reason: str
    rule: str = "default_deny"


class Seen(msgspec.Struct, frozen=True):
    """`credential`: of the database, which holds its bearer to its scopes."""

    steps: tuple[Step, ...]
    turned: Turned | None = None
    credential: Credential | None = None


def seen(rules: Rules, standing: Standing, place: str, now: float) -> Seen:
    """What the door would say to this person, with this credential, at this server."""
    credential = None if standing.kept is None else standing.kept.credential
    turned = _key(rules, standing, place, now) if standing.key else None
    if turned is not None:
        return Seen((_deny("key", turned),), turned)
    steps = [_shown(standing, credential)] if standing.key else []
    turned = _away(standing, now)
    if turned is not None:
        return Seen((*steps, _deny("person", turned)), turned)
    principal = rules.principals.get(standing.email)
    if principal is not None:
        told = "; ".join(_about(rules, standing, principal, now)) or "no role is active"
        steps.append(Step("person", "pass", "", told))
    return Seen(tuple(steps), None, credential)


def scopes_of(credential: Credential) -> tuple[Permission, ...]:
    """What it is held to; what cannot be read opens nothing."""
    try:
        return permissions(credential.scopes)
    except ValueError:
        return ()


def where(rules: Rules, standing: Standing, role: str, filed: Mapping[str, str], now: float) -> str:
    """Where somebody has a role from: the file, the database, a team or temporary access of it.

    `filed`: places in the file, by `user ADDRESS` and `group NAME`. Empty when he has it not.
    """
    found = (text for name, text in _origins(rules, standing, filed, now) if name == role)
    return next(found, "")


def _origins(
    rules: Rules, standing: Standing, filed: Mapping[str, str], now: float
) -> Iterator[tuple[str, str]]:
    """Every role of his and where it comes from, also twice."""
    if standing.email not in rules.filed and standing.person is not None:
        yield from ((role, DATABASE) for role in standing.person.roles)
    yield from _by_teams(rules, standing, filed)
    yield from _by_grants(rules, standing, now)
    principal = rules.principals.get(standing.email)
    if standing.email in rules.filed and principal is not None:
        here = filed.get(f"user {standing.email}", FILE)
        yield from ((role, here) for role in principal.roles(now))


def _by_teams(
    rules: Rules, standing: Standing, filed: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    """The file says what its groups give; the database has others."""
    email = standing.email
    his = {each.team for each in standing.members}
    his |= {each.name for each in rules.teams if email in rules.groups.get(each.name, ())}
    for team in rules.teams:
        if team.name in his:
            here = f"{filed.get(f'group {team.name}', FILE)}, group {team.name}"
            yield from ((role, here) for role in team.roles)
    stated = {each.name for each in rules.teams}
    for team in standing.teams:
        if team.name in his - stated:
            yield from ((role, f"{DATABASE}, team {team.name}") for role in team.roles)


def _by_grants(rules: Rules, standing: Standing, now: float) -> Iterator[tuple[str, str]]:
    own = {each.id for each in standing.grants}
    for grant in rules.grants:
        if grant.user == standing.email and grant.begins <= now < grant.ends:
            source = f"{DATABASE}, temporary access {grant.id}" if grant.id in own else FILE
            yield grant.role, f"{source}, until {timestamp(grant.ends)}"


def _key(rules: Rules, standing: Standing, place: str, now: float) -> Turned | None:
    id, kept = standing.key, standing.kept
    if kept is None:
        owner = next((who for key, who in rules.keys.items() if key_id(key) == id), None)
        if owner is None:
            return Turned("unknown_key", f"There is no key {id[:64]!r}: torhaus keys list")
        if owner.email != standing.email:
            return Turned("unknown_key", f"The key {id} is not {standing.email}'s.")
        return None
    if kept.credential.email != standing.email:
        return Turned("unknown_key", f"The key {id} is not {standing.email}'s.")
    if kept.ended is not None:
        by = f" by {kept.ended_by}" if kept.ended_by else ""
        return Turned("key_ended", f"The key {id} was ended on {timestamp(kept.ended)}{by}.")
    wrong = misplaced(kept.credential, place, now)
    return None if wrong is None else Turned("key_unfit", _sentence(wrong))


def _away(standing: Standing, now: float) -> Turned | None:
    email, person = standing.email, standing.person
    if person is not None and person.state is PersonState.SUSPENDED:
        return Turned("suspended", f"{email} is suspended (database): torhaus users reinstate.")
    if person is not None and person.state is PersonState.GONE:
        when = "" if person.left_at is None else f" since {timestamp(person.left_at)}"
        return Turned("gone", f"{email} is gone{when} (database).")
    if person is not None and person.state is PersonState.INVITED:
        return Turned("invited", f"{email} is invited and has not come in yet (database).")
    for kind, target in ((StopKind.USER, email), (StopKind.KEY, standing.key)):
        stop = _stop(standing, kind, target, now)
        if stop is not None:
            said = f"{stop.created_by} has stopped the {kind.value} {target}: {stop.reason}"
            return Turned("stopped", _sentence(said), f"stop:{stop.id}")
    return None


def _stop(standing: Standing, kind: StopKind, target: str, now: float) -> Stop | None:
    if not target:
        return None
    found = (each for each in standing.stops if (each.kind, each.target) == (kind, target))
    return next((each for each in found if each.holds(now)), None)


def _shown(standing: Standing, credential: Credential | None) -> Step:
    if credential is None:
        return Step("key", "pass", standing.key, "a key of the file: all that its owner may")
    words = [credential.label or credential.kind.value]
    words.append(f"held to {', '.join(credential.scopes)}" if credential.scopes else "no scopes")
    if credential.audience is not None:
        words.append(f"good at {credential.audience or '/mcp'} alone")
    if credential.expires is not None:
        words.append(f"until {timestamp(credential.expires)}")
    return Step("key", "pass", standing.key, "; ".join(words))


def _about(rules: Rules, standing: Standing, principal: Principal, now: float) -> Iterator[str]:
    roles = dict.fromkeys(principal.roles(now))
    for role in roles:
        source = where(rules, standing, role, {}, now)
        yield f"{role} ({source})" if source else role
    if standing.person is not None:
        missing = dict.fromkeys(each for each in standing.person.roles if each not in roles)
        if standing.email not in rules.filed:
            yield from (f"{each} (database; no such role counts now)" for each in missing)
    if principal.expires is not None:
        yield f"access until {timestamp(principal.expires)}"


def _deny(step: str, turned: Turned) -> Step:
    return Step(step, "deny", turned.rule, turned.reason)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].rstrip(".") + "."
