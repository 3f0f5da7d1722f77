"""Acts on keys of others, and on what clients and browsers were let in for."""

from typing import Any

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.acts import EndFamily, MakeKey, RevokeKey
from torhaus.admin.rights import may_be
from torhaus.audit.acts import Act
from torhaus.model.credentials import Credential, CredentialKind, FamilyKind
from torhaus.model.desk import Desk
from torhaus.model.texts import filled, marked
from torhaus.policy.house import may, right
from torhaus.policy.scopes import permissions

KEYS = "keys"
MOST_KEYS = 50
ENDED_KEY = marked("this key has ended already")
ENDED_SESSION = marked("this session has ended already")
NO_NAME = marked("give the key a name of at most 100 characters, so that people know it again")
NOBODY = marked("there is nobody with this address who may call")
NO_KEY = marked("there is no such key in the database")
NO_SESSION = marked("there is no such session")
TOO_MANY = marked("there are 50 keys of one person already: revoke one first")
ENDED = {FamilyKind.SESSION: "session.ended", FamilyKind.CONSENT: "consent.ended"}


async def make_key(desk: Desk, scene: Scene, act: MakeKey) -> Effect | Refusal:
    """For somebody whose every role the actor could give him: a key is all he may."""
    email = act.email.strip().lower()
    facts: dict[str, Any] = {"person": email[:254], "label": act.label[:100]}
    if act.scopes:
        facts["scopes"] = list(act.scopes)
    tried = Act(operation="key.made", facts=facts)
    why = _may_make(scene, email)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    if email not in scene.rules.principals or "@" not in email:
        return Refusal("not_found", NOBODY, tried)
    wrong = await _unfit(desk, scene, act, email)
    if wrong is not None:
        return Refusal("invalid", wrong, tried)
    key = Credential(
        digest=act.digest,
        id=scene.id,
        kind=CredentialKind.KEY,
        email=email,
        label=act.label.strip(),
        audience=act.audience,
        scopes=act.scopes,
        created=scene.now,
        expires=act.expires,
    )
    await desk.credentials.add(key, act.ip)
    after = {"key": key.id, "audience": key.audience, "expires": key.expires}
    done = Act(operation=tried.operation, facts=facts, after=after)
    rule = "own key" if email == scene.actor.email else right(KEYS)
    return Effect(result=key, act=done, rule=rule, issued=(key,))


async def revoke_key(desk: Desk, scene: Scene, act: RevokeKey) -> Effect | Refusal:
    tried = Act(operation="key.revoked", facts={"key": act.id[:64]})
    found = await desk.credentials.named(act.id)
    own = found is not None and found.credential.email == scene.actor.email
    why = None if own else may(scene.actor, KEYS, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    if found is None or found.credential.kind is CredentialKind.SESSION:
        fix = "keys of the file end where they stand" if act.id.startswith("file_") else ""
        return Refusal("not_found", NO_KEY, tried, fix)
    key = found.credential
    if not await desk.credentials.end(key.digest, scene.actor.email, scene.now):
        return Refusal("conflict", ENDED_KEY, tried)
    done = Act(
        operation=tried.operation,
        facts={"key": key.id, "person": key.email},
        before={"label": key.label},
    )
    return Effect(result=key, act=done, rule="own key" if own else right(KEYS), ended=(key.digest,))


async def end_family(desk: Desk, scene: Scene, act: EndFamily) -> Effect | Refusal:
    tried = Act(operation="session.ended", facts={"family": act.id[:64]})
    found = await desk.families.get(act.id)
    own = found is not None and found.email == scene.actor.email
    why = None if own else may(scene.actor, KEYS, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    if found is None:
        return Refusal("not_found", NO_SESSION, tried)
    if found.ended is not None:
        return Refusal("conflict", ENDED_SESSION, tried)
    reason = act.reason[:500] or "ended by an administrator"
    ended = await desk.families.end(found.id, scene.actor.email, reason, scene.now)
    facts = {"family": found.id, "person": found.email, "client": found.client_id or ""}
    done = Act(operation=ENDED[found.kind], facts=facts, before={"label": found.label})
    rule = "own session" if own else right(KEYS)
    return Effect(result=found, act=done, rule=rule, ended=ended)


def _may_make(scene: Scene, email: str) -> str | None:
    if email == scene.actor.email:
        return None
    why = may(scene.actor, KEYS, scene.now)
    whose = scene.rules.principals.get(email)
    if why is not None or whose is None:
        return why
    why = may_be(scene.actor, whose, scene.rules, scene.now)
    return None if why is None else f"a key is all that its owner may, and {why}"


async def _unfit(desk: Desk, scene: Scene, act: MakeKey, email: str) -> str | None:
    if not act.label.strip() or len(act.label) > 100 or not act.label.isprintable():
        return NO_NAME
    rules = scene.rules
    if act.audience and act.audience not in rules.servers and act.audience not in rules.views:
        return filled(marked("there is no server {server}"), server=repr(act.audience[:64]))
    if act.expires is not None and not scene.now < act.expires < 1e12:
        return marked("a key must end in the future")
    try:
        permissions(act.scopes)
    except ValueError as error:
        return str(error)
    kept = await desk.credentials.of(email)
    live = [each for each in kept if each.ended is None and not _over(each.credential, scene.now)]
    keys = sum(each.credential.kind is CredentialKind.KEY for each in live)
    return TOO_MANY if keys >= MOST_KEYS else None


def _over(credential: Credential, now: float) -> bool:
    return credential.expires is not None and credential.expires <= now
