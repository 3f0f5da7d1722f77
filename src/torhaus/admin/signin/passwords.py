"""Acts on local accounts: passwords, second factors, links that reset them."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.admin.acts import Burnt, Effect, Refusal, Scene
from torhaus.admin.rights import may_be, may_grant
from torhaus.admin.signin.acts import (
    ChangePassword,
    MakeResetLink,
    RenewRecovery,
    ResetPassword,
    SetSecondFactor,
)
from torhaus.admin.signin.sessions import OVER, unwelcome
from torhaus.audit.acts import Act
from torhaus.model.accounts import Leaving, Password
from torhaus.model.credentials import FamilyKind
from torhaus.model.desk import Desk
from torhaus.model.person import Person, PersonState
from torhaus.model.texts import marked
from torhaus.policy.approvers import may_administer

RESET = "reset"
RESET_LASTS = 24 * 3600.0
CHANGED, FACTOR, CODES = "password.changed", "second_factor.changed", "recovery_codes.renewed"
LINK = "password.reset_link"
NO_ACCOUNT = marked("there is no local account with your address")
USED = marked("this link has been used, or is over: ask for a new one")


async def change_password(desk: Desk, scene: Scene, act: ChangePassword) -> Effect | Refusal:
    before = await desk.passwords.get(scene.actor.email)
    if before is None:
        return _no_account(CHANGED)
    await desk.passwords.put(
        msgspec.structs.replace(before, hash=act.password.hash, changed=scene.now)
    )
    ended = await _end_sessions(desk, scene, act.keep)
    told = _changed(before, scene, {"ended": len(ended)})
    return Effect(result=None, act=told, rule="own account", ended=ended)


async def reset_password(desk: Desk, scene: Scene, act: ResetPassword) -> Effect | Refusal | Burnt:
    """Whoever has the link has the account; all his sessions end. A link opens once."""
    email = scene.actor.email
    told = Act(operation=CHANGED, facts={"by": "reset link"})
    left = await desk.departures.take(act.ticket, scene.now)
    if left is None:
        return Refusal("conflict", USED, told)
    why = await unwelcome(desk, scene)
    if why is None and email not in scene.rules.principals:
        why = OVER
    if why is not None:
        return Burnt(Refusal("not_allowed", why, told))
    before = await desk.passwords.get(email)
    if before is not None and before.changed > left.created:
        return Burnt(Refusal("conflict", USED, told))  # another link, or his own hand, was first
    after = msgspec.structs.replace(act.password, email=email, changed=scene.now)
    if before is not None:
        after = msgspec.structs.replace(before, hash=act.password.hash, changed=scene.now)
    await desk.passwords.put(after)
    ended = await _end_sessions(desk, scene, "")
    told = _changed(before, scene, {"by": "reset link", "ended": len(ended)})
    return Effect(result=None, act=told, rule="reset link", ended=ended)


async def set_second_factor(desk: Desk, scene: Scene, act: SetSecondFactor) -> Effect | Refusal:
    before = await desk.passwords.get(scene.actor.email)
    if before is None:
        return _no_account(FACTOR)
    after = msgspec.structs.replace(
        before, second_factor=act.sealed, recovery=act.recovery, last_step=act.step
    )
    await desk.passwords.put(after)
    told = Act(operation=FACTOR, before=_factor(before), after=_factor(after))
    return Effect(result=None, act=told, rule="own account")


async def renew_recovery(desk: Desk, scene: Scene, act: RenewRecovery) -> Effect | Refusal:
    before = await desk.passwords.get(scene.actor.email)
    if before is None or before.second_factor is None:
        return _no_account(CODES)
    await desk.passwords.put(msgspec.structs.replace(before, recovery=act.recovery))
    told = Act(
        operation=CODES,
        before={"codes": len(before.recovery)},
        after={"codes": len(act.recovery)},
    )
    return Effect(result=None, act=told, rule="own account")


async def make_reset_link(desk: Desk, scene: Scene, act: MakeResetLink) -> Effect | Refusal:
    told = Act(operation=LINK, facts={"email": act.email, "second_factor": act.second_factor})
    why = may_administer(scene.actor, "*", scene.now)
    if why is not None:
        return Refusal("not_allowed", why, told)
    person = await desk.persons.get(act.email)
    gone = person is not None and person.state in (PersonState.GONE, PersonState.SUSPENDED)
    if gone or (person is None and act.email not in scene.rules.principals):
        text = f"{act.email[:254]} is nobody who may sign in here"
        return Refusal("not_found", text, told, "add the person first")
    known = scene.rules.principals.get(act.email)
    why = beyond(scene, act.email, person)
    if why is not None:
        return Refusal("not_allowed", f"whoever has the link may all that he may, and {why}", told)
    if known is not None and known.responsible is not None:
        fix = "torhaus keys mint --person makes it a key"
        return Refusal("invalid", "a service account does not sign in", told, fix)
    before = await desk.passwords.get(act.email)
    if act.second_factor and before is not None:
        plain = msgspec.structs.replace(before, second_factor=None, recovery=(), last_step=None)
        await desk.passwords.put(plain)
    await desk.departures.add(
        Leaving(
            digest=act.digest,
            kind=RESET,
            sealed=act.sealed,
            created=scene.now,
            expires=scene.now + RESET_LASTS,
        )
    )
    told = msgspec.structs.replace(told, after={"expires": scene.now + RESET_LASTS})
    return Effect(result=None, act=told, rule="admin on everything")


def beyond(scene: Scene, email: str, person: Person | None) -> str | None:
    """Why the actor could not give this person what he may; None where he could, or is it."""
    known = scene.rules.principals.get(email)
    if email == scene.actor.email:
        return None
    if known is not None:
        return may_be(scene.actor, known, scene.rules, scene.now)
    roles = () if person is None else person.roles
    found = (may_grant(scene.actor, each, scene.rules, scene.now) for each in roles)
    return next((why for why in found if why is not None), None)


async def _end_sessions(desk: Desk, scene: Scene, keep: str) -> tuple[bytes, ...]:
    email = scene.actor.email
    ended: list[bytes] = []
    for family in await desk.families.of(email):
        mine = family.kind is FamilyKind.SESSION and family.ended is None
        if mine and family.id != keep:
            ended += await desk.families.end(family.id, email, "password changed", scene.now)
    return tuple(ended)


def _changed(before: Password | None, scene: Scene, facts: Mapping[str, Any]) -> Act:
    former = None if before is None else {"changed": before.changed}
    return Act(operation=CHANGED, facts=facts, before=former, after={"changed": scene.now})


def _no_account(operation: str) -> Refusal:
    return Refusal("not_found", NO_ACCOUNT, Act(operation=operation))


def _factor(account: Password) -> Mapping[str, Any]:
    return {"second_factor": account.second_factor is not None, "codes": len(account.recovery)}
