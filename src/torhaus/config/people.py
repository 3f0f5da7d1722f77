"""`users`, `groups`, `temporary_access` and `auth.anonymous` compiled to principals."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from math import inf

import msgspec

from torhaus.config.accesses import Accesses
from torhaus.config.addresses import is_private
from torhaus.config.amounts import moment
from torhaus.config.credentials import Keys
from torhaus.config.grants import TemporaryAccess
from torhaus.config.membership import Membership, gathered
from torhaus.config.phases import Limited, end_of, phases, start_of
from torhaus.config.schema import File, User
from torhaus.config.tree import Path
from torhaus.config.words import Words
from torhaus.model.access import Access
from torhaus.model.grant import Grant
from torhaus.model.networks import Network
from torhaus.model.people import Principal
from torhaus.model.person import Team
from torhaus.policy.narrowing import narrowed

ANONYMOUS = "anonymous"
MAX_GRANTS = 100


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A user as the file has him, before what he may do is put together.

    `limited`: roles, besides `roles`, that count on some servers only -> these servers.
    `servers`: the only ones he may use; empty for all that his roles open. `responsible`: who
    answers for a service account; None for a person.
    """

    email: str
    roles: tuple[str, ...] = ()
    limited: Mapping[str, tuple[str, ...]] = {}
    groups: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    expires: float | None = None
    responsible: str | None = None


class People(msgspec.Struct, frozen=True, kw_only=True):
    """`grants`: the file's. `keys`: digest -> e-mail address. `networks`: of the anonymous.

    `groups`: name -> its members; `teams`: the same groups, with what they give. `key_numbers`:
    digest -> which of its owner's keys it is, from 1 on.
    """

    persons: Mapping[str, Person]
    grants: tuple[Grant, ...]
    keys: Mapping[bytes, str]
    groups: Mapping[str, tuple[str, ...]]
    teams: tuple[Team, ...] = ()
    anonymous: Person | None = None
    networks: tuple[Network, ...] = ()
    key_numbers: Mapping[bytes, int] = {}


def people(words: Words, file: File) -> People:
    """Everyone who may call. Mistakes go to the source's problems."""
    source = words.source
    grants = tuple(_grants(words, file))
    members = Membership(words, file)
    found: dict[str, Person] = {}
    keys = Keys(source)
    first: dict[str, int] = {}
    for index, user in enumerate(file.users):
        path: Path = ("users", index)
        if user.email in first:
            where = source.line(("users", first[user.email]))
            source.error((*path, "email"), f"this user is on line {where} already", "keep one")
        first.setdefault(user.email, index)
        found[user.email] = _person(words, path, user, members, file.server.timezone)
        keys.add(path, user)
    for index, spec in enumerate(file.temporary_access):
        if spec.user not in found:
            found[spec.user] = _guest(words, ("temporary_access", index, "user"), spec, members)
    return People(
        persons=found,
        grants=grants,
        keys=keys.by_digest,
        groups=members.everyone(),
        teams=members.teams(),
        anonymous=_anonymous(words, file),
        networks=() if file.auth.anonymous is None else file.auth.anonymous.networks,
        key_numbers=keys.numbers,
    )


def principals(
    persons: Iterable[Person], grants: Sequence[Grant], accesses: Accesses
) -> Mapping[str, Principal]:
    """Everyone with what he may do now and later. Raises FaultError: see `Accesses.of`.

    `grants`: all that count; those of nobody known are left out.
    """
    theirs: dict[str, list[Grant]] = {}
    for grant in grants:
        theirs.setdefault(grant.user, []).append(grant)
    return {each.email: principal(each, theirs.get(each.email, ()), accesses) for each in persons}


def principal(person: Person, grants: Sequence[Grant], accesses: Accesses) -> Principal:
    def accessing(roles: tuple[str, ...], limited: Limited) -> Mapping[str, Access]:
        found = _allowed(person, roles, limited, accesses)
        if person.servers:
            found = narrowed(found, person.servers)
        # Without a role and without a block of his own, he is nobody here.
        return found if roles or any(each.allows for each in found.values()) else {}

    return Principal(
        id=person.email,
        email=person.email,
        groups=person.groups,
        expires=person.expires,
        phases=phases(person.roles, grants, accessing, person.limited),
        responsible=person.responsible,
    )


def _allowed(
    person: Person, roles: tuple[str, ...], limited: Limited, accesses: Accesses
) -> Mapping[str, Access]:
    """On each server by the roles that count there."""
    if not limited:
        return accesses.of(roles, person.groups, person.email)
    everywhere = tuple(each for each in roles if each not in limited)
    found = dict(accesses.of(everywhere, person.groups, person.email))
    for server in {name for some in limited.values() for name in some}:
        if server in found:
            here = tuple(r for r in roles if r not in limited or server in limited[r])
            found[server] = accesses.of(here, person.groups, person.email)[server]
    return found


def _person(words: Words, path: Path, user: User, members: Membership, zone: str) -> Person:
    if user.role is not None:
        words.role(user.role, (*path, "role"))
    for here, role in words.each((*path, "roles"), user.roles):
        words.role(role, here)
    own = [user.role] if user.role is not None else user.roles
    roles, limited = gathered(own, members.given(user.email))
    if user.responsible == user.email:
        message = "nobody answers for himself"
        words.source.error((*path, "responsible"), message, "name a person, or leave it out")
    return Person(
        email=user.email,
        roles=roles,
        limited=limited,
        groups=members.of(user.email),
        expires=_date(words, (*path, "expires"), user.expires, zone, end_of),
        responsible=user.responsible,
    )


def _guest(words: Words, path: Path, spec: TemporaryAccess, members: Membership) -> Person:
    message = f"{words.shown(path, spec.user)} is no user: without a key, this gives nothing"
    words.source.warn(path, message, "add this user under users, with api_keys")
    roles, limited = gathered((), members.given(spec.user))
    return Person(email=spec.user, roles=roles, limited=limited, groups=members.of(spec.user))


def _grants(words: Words, file: File) -> Iterable[Grant]:
    counts: Counter[str] = Counter()
    zone = file.server.timezone
    for index, spec in enumerate(file.temporary_access):
        path: Path = ("temporary_access", index)
        known = words.role(spec.role, (*path, "role"))
        begins = _date(words, (*path, "valid_from"), spec.valid_from, zone, start_of)
        ends = _date(words, (*path, "valid_until"), spec.valid_until, zone, end_of)
        counts[spec.user] += 1
        if counts[spec.user] > MAX_GRANTS:
            message = f"more than {MAX_GRANTS} grants for one user"
            words.source.error(path, message, "remove those that have ended")
        if ends is None or not known:
            continue
        begins = -inf if begins is None else begins
        if begins >= ends:
            words.source.error(path, "it ends before it begins", "correct valid_until")
            continue
        yield Grant(
            id=f"file:{words.source.line(path)}",
            user=spec.user,
            role=spec.role,
            begins=begins,
            ends=ends,
            replace=spec.mode == "replace",
            notify=spec.notify_before_expiry,
        )


def _date(
    words: Words,
    path: Path,
    text: str | None,
    zone: str,
    reading: Callable[[date | datetime, str], float],
) -> float | None:
    if text is None:
        return None
    try:
        return reading(moment(text), zone)
    except (OverflowError, ValueError):
        words.source.error(path, "the date is out of range", "leave it out for never")
    return None


def _anonymous(words: Words, file: File) -> Person | None:
    spec = file.auth.anonymous
    if spec is None:
        return None
    path: Path = ("auth", "anonymous")
    for here, role in words.each((*path, "roles"), spec.roles):
        words.role(role, here)
    source = words.source
    if not spec.networks:
        source.error((*path, "networks"), "the list is empty", "list networks, or remove anonymous")
    if not all(is_private(network) for network in spec.networks):
        message = "anyone on these public networks may call without a credential"
        source.warn((*path, "networks"), message, "list private networks only")
    return Person(email=ANONYMOUS, roles=tuple(dict.fromkeys(spec.roles)))
