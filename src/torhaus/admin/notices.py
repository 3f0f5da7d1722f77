"""Whom to tell that access ends soon. Pure."""

from collections.abc import Iterator

from torhaus.audit.shape import timestamp
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.grant import Grant
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.policy.approvers import administrators

DAY = 86400.0
EXPIRY = 7 * DAY
"""Seconds before a user's `expires` at which he is told."""
OWNERS = 20
"""Administrators of everything that are told too: they could prolong it."""


def due(rules: Rules, now: float) -> Iterator[tuple[str, Announcement]]:
    """What is to be told now, each with a key under which it is told once.

    The key holds the end: access that was prolonged is announced again.
    """
    owners = administrators(rules, "*", now)[:OWNERS]
    for grant in rules.grants:
        if grant.notify is None or not grant.ends - grant.notify <= now < grant.ends:
            continue
        if now >= grant.begins:
            key = f"grant:{grant.user}:{grant.role}:{grant.ends:.0f}"
            yield key, _ending(grant, now, owners)
    for principal in rules.principals.values():
        ends = principal.expires
        if ends is not None and ends - EXPIRY <= now < ends:
            yield f"user:{principal.id}:{ends:.0f}", _leaving(principal, ends, now, owners)


def _ending(grant: Grant, now: float, owners: tuple[str, ...]) -> Announcement:
    return _soon(
        f"The role {grant.role} of {grant.user} ends {timestamp(grant.ends)}.",
        now,
        grant.user,
        owners,
        {"user": grant.user, "role": grant.role, "ends": timestamp(grant.ends)},
    )


def _leaving(
    principal: Principal, ends: float, now: float, owners: tuple[str, ...]
) -> Announcement:
    return _soon(
        f"The access of {principal.email} ends {timestamp(ends)}.",
        now,
        principal.email,
        owners,
        {"user": principal.email, "ends": timestamp(ends)},
    )


def _soon(
    text: str, now: float, user: str, owners: tuple[str, ...], facts: dict[str, str]
) -> Announcement:
    others = tuple(each for each in owners if each.casefold() != user.casefold())
    return Announcement(
        kind=Kind.ACCESS_EXPIRING, text=text, at=now, to=(user, *others), facts=facts
    )
