"""The record of an administrative act, in the shape of a call's."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.audit.opaque import discreet, discreetly, without
from torhaus.audit.parameters import parameters
from torhaus.audit.shape import MAX_NAME, MAX_REASON, milliseconds, plain, timestamp
from torhaus.model.people import Principal
from torhaus.model.record import NO_CALL, Record, RecordAccess, RecordResult, RecordUser

HOUSE = RecordUser("torhaus", "system", "")
"""Who acts when time does: requests that expire."""

UNCHANGED = {"before": None, "after": None}
ITSELF = "torhaus"
"""Stands for the server in records of acts that concern none."""


class Act(msgspec.Struct, frozen=True, kw_only=True):
    """What was done to what. `operation`: `approval.approved`, `access.revoked`, ...

    `facts`: what the record says besides. `before` and `after`: the thing that was changed, as far
    as it changed; None where there was nothing before, or nothing is left. The record
    of what was done has both, or neither.
    """

    operation: str
    server: str = ITSELF
    facts: Mapping[str, Any] = {}
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None


def user(email: str, roles: tuple[str, ...], ip: str) -> RecordUser:
    return RecordUser(plain(email, MAX_NAME), plain(",".join(roles), MAX_NAME), plain(ip, MAX_NAME))


class Came(msgspec.Struct, frozen=True):
    """Somebody who acts, and what records call the credential he came with; empty for none."""

    user: RecordUser
    credential: str = ""


Who = RecordUser | Came


def came(actor: Principal, now: float, ip: str) -> Came:
    """Somebody who acts at `now` (Unix seconds)."""
    return Came(user(actor.email, actor.roles(now), ip), plain(actor.shown, MAX_NAME))


def act_record(act: Act, who: Who, *, id: str, at: float, rule: str, reason: str) -> Record:
    """The record of an act that is being done. `rule`: what lets `who` do it."""
    return _record(act, who, (id, at), "success", RecordAccess(rule, True, _short(reason)))


def refused_record(act: Act, who: Who, *, id: str, at: float, rule: str, reason: str) -> Record:
    """The record of an act that was not allowed, or not possible.

    What it names may not be there at all, and be a secret in the wrong place.
    """
    typed = [act.server, *(each for each in act.facts.values() if isinstance(each, str))]
    reason = without(reason, *typed)
    facts, server = discreetly(dict(act.facts)), discreet(act.server)
    act = msgspec.structs.replace(act, facts=facts, server=server)
    return _record(act, who, (id, at), "denied", RecordAccess(rule, False, _short(reason)))


def failed_record(act: Act, who: Who, *, id: str, at: float, rule: str, reason: str) -> Record:
    """The record that an act recorded before was not kept after all."""
    return _record(act, who, (id, at), "error", RecordAccess(rule, True, _short(reason)))


def _short(reason: str) -> str:
    return plain(reason, MAX_REASON)


def _record(
    act: Act, who: Who, when: tuple[str, float], status: str, access: RecordAccess
) -> Record:
    told: dict[str, Any] = dict(act.facts)
    changed = {"before": act.before, "after": act.after}
    if status != "success" or changed == UNCHANGED:
        changed = {name: found for name, found in changed.items() if found is not None}
    told |= changed
    id, at = when
    by = who if isinstance(who, Came) else Came(who)
    return Record(
        timestamp(at),
        plain(id, MAX_NAME),
        by.user,
        plain(act.server, MAX_NAME),
        act.operation,
        parameters(msgspec.json.encode(told)),
        RecordResult(status, None, False, milliseconds(0.0)),
        access,
        NO_CALL,
        by.credential,
    )
