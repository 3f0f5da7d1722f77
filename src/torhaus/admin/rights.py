"""Who may hand out a role: nobody gives away what he does not hold. Pure."""

from collections.abc import Mapping

from torhaus.model.access import Access, Bound, Effect, Permission, Policy
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.policy.approvers import active, administers
from torhaus.policy.house import may


def may_grant(actor: Principal, role: str, rules: Rules, now: float) -> str | None:
    """None when the actor may give this role to others now; otherwise why not, as a sentence.

    He must administer every server the role opens, hold every permission it gives, and be under
    no restriction there that the role is free of.
    """
    governed = may_govern(actor, role, rules, now)
    if governed is not None:
        return governed
    phase = actor.phase(now)
    for server, given in rules.role_access[role].items():
        if not given.allows:
            continue  # where it opens nothing, it frees nobody of anything
        own = phase.on(server)
        for permission in given.allows:
            if not any(_contains(each, permission) for each in own.allows):
                return f"{role} allows {_text(permission)}, which you do not hold yourself"
        if not _as_strict(given, own):
            return f"you are restricted on {server} in a way that {role} is not"
    return None


def may_be(actor: Principal, other: Principal, rules: Rules, now: float) -> str | None:
    """None when the actor could give somebody all that he may, now and later; otherwise why not.

    Whoever gets at somebody's keys or password may what he may.
    """
    for phase in other.phases:
        if phase.ends <= now:
            continue
        for role in phase.roles:
            why = may_grant(actor, role, rules, now)
            if why is not None:
                return why
        if not phase.roles and phase.access and may(actor, "people", now):
            return "that is more than you could give"
    return None


def may_govern(actor: Principal, role: str, rules: Rules, now: float) -> str | None:
    """None when the actor may decide about this role and take it back."""
    if not active(actor, now):
        return "your access has ended"
    access = rules.role_access.get(role)
    if access is None:
        return f"there is no role {role!r} any more"
    for server in servers(access):
        if not administers(actor, server, now):
            everywhere = "every server" if server == "*" else server
            return f"this needs admin permission on {everywhere}"
    return None


def servers(access: Mapping[str, Access]) -> tuple[str, ...]:
    """The servers a role opens; `*` when it opens all, or none that can be named."""
    if access.get("*", Access()).allows:
        return ("*",)
    return tuple(name for name, each in access.items() if each.allows) or ("*",)


def _contains(own: Permission, given: Permission) -> bool:
    return (
        own.server in ("*", given.server)
        and own.type in ("*", given.type)
        and own.action in ("*", given.action)
        and (own.when is None or _when(own) == _when(given))
    )


def _when(rule: Permission | Bound) -> str | None:
    return None if rule.when is None else rule.when.text


def _text(permission: Permission) -> str:
    return ":".join((permission.server, permission.type, permission.action))


def _as_strict(given: Access, own: Access) -> bool:
    """Whether every restriction of the giver binds the role too."""
    denied = [_deny(each) for each in given.denies]
    tags = {tag for each in given.tags for tag in each.tags}
    bounds = [_bound(each) for each in given.bounds]
    origins = [(each.networks, each.clients) for each in given.origins]
    return (
        all(_deny(each) in denied for each in own.denies)
        and all(each.tags <= tags for each in own.tags)
        and all(_bound(each) in bounds for each in own.bounds)
        and all((each.networks, each.clients) in origins for each in own.origins)
        and all(each in given.policies for each in own.policies if _matters(each, given))
        and (own.redact is None or given.redact is not None)
    )


def _matters(policy: Policy, given: Access) -> bool:
    """Whether the policy holds back somebody who does what the role allows."""
    if policy.effect is Effect.LOG_ONLY:
        return False
    actions = {each.action for each in given.allows}
    return not policy.actions or "*" in actions or not policy.actions.isdisjoint(actions)


def _deny(deny: Permission) -> tuple[str | None, ...]:
    return (deny.server, deny.type, deny.action, _when(deny))


def _bound(bound: Bound) -> tuple[object, ...]:
    allow = None if bound.allow is None else tuple(each.text for each in bound.allow)
    return (bound.kind, allow, tuple(each.text for each in bound.deny), _when(bound))
