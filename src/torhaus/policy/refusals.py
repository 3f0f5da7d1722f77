"""Refusals as sentences a person can act on."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from torhaus.model.access import Bound, Effect, Glob, Hours, Permission, Policy, TagDeny
from torhaus.model.call import Call
from torhaus.model.verdict import Deny
from torhaus.policy.asked import Asked
from torhaus.policy.names import shown

DEFAULT_DENY = "default_deny"
MOST_RULES = 5
MOST_NAMES = 3
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")

# -- who asks ------------------------------------------------------------------------------------


def inactive(call: Call, now: float) -> Deny:
    """Access has ended, has not begun, or there never was any."""
    caller = call.caller
    if caller.expires is not None and now >= caller.expires:
        return Deny(
            "access_expired",
            "access_expired",
            f"Access for {caller.email} ended on {_moment(caller.expires)}. "
            f"Ask an administrator to extend it.",
        )
    begins = [p.begins for p in caller.phases if p.begins > now and (p.roles or p.access)]
    if begins:
        said = f"access begins on {_moment(min(begins))}"
        return Deny("no_active_role", "no_active_role", f"{caller.email}'s {said}.")
    return Deny(
        "no_active_role",
        "no_active_role",
        f"{caller.email} has no active role. "
        f"Ask an administrator for one, or for temporary access.",
    )


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d at %H:%M} UTC"


# -- what is asked -------------------------------------------------------------------------------


def bad_argument(problem: str) -> Deny:
    return Deny(
        "classification",
        "bad_argument",
        f"{problem}. What the call would do cannot be told otherwise.",
    )


def no_access(asked: Asked) -> Deny:
    name, email = asked.call.server.name, asked.call.caller.email
    return Deny(
        DEFAULT_DENY,
        "no_grant",
        f"{email} has no permission on {name}. "
        f"Ask an administrator for `{name}:read` or what else the work needs.",
        asked.does.actions,
    )


def missing(asked: Asked, action: str) -> Deny:
    """No permission for one action of the call."""
    name = asked.call.server.name
    if action == "unknown":
        said = (
            f"Nobody has said what {_what(asked)} does, so it takes `{name}:*`; {_held(asked)}. "
            f"Ask an administrator to classify it or for `{name}:*`."
        )
        return Deny(DEFAULT_DENY, "no_grant", said, asked.does.actions)
    wanted = f"{name}:{action}" if asked.vague else f"{name}:{asked.does.type}:{action}"
    return Deny(
        DEFAULT_DENY,
        "no_grant",
        f"{_what(asked)} is {_doing(asked, action)}; {_held(asked)}. "
        f"Ask an administrator for `{wanted}`.",
        asked.does.actions,
    )


def unscoped(asked: Asked, action: str | None) -> Deny:
    """The credential is held to scopes that leave this out; None: that leave out the server."""
    call = asked.call
    held = call.caller.scopes or ()
    names = [f"{each.server}:{each.type}:{each.action}".replace(":*:", ":") for each in held]
    scopes = ", ".join(names[:MOST_RULES]) or "nothing"
    doing = "" if action is None else f"{_what(asked)} is {_doing(asked, action)}; "
    said = (
        f"{doing}the key or token that was sent is held to {scopes}, which leaves this out on "
        f"{call.server.name}. Use another one, or make one with wider scopes."
    )
    return Deny("scopes", "outside_scopes", said[0].upper() + said[1:], asked.does.actions)


def denied(asked: Asked, deny: Permission, action: str) -> Deny:
    who = asked.call.caller.email
    if asked.unknown:
        said = (
            f"Nobody has said what {_what(asked)} does, so it may be what {deny.rule} forbids "
            f"{who}. Ask an administrator to classify it."
        )
    else:
        said = (
            f"{_what(asked)} is {_doing(asked, action)}, which {deny.rule} forbids {who}. "
            f"Another role cannot allow it: ask an administrator to change that rule."
        )
    return Deny(deny.rule, "denied", said, asked.does.actions)


def tagged(asked: Asked, deny: TagDeny) -> Deny:
    found = " and ".join(sorted(deny.tags & asked.does.tags)) or "any"
    return Deny(
        deny.rule,
        "denied_tag",
        f"{_what(asked)} may give out {found} data, which {deny.rule} keeps from "
        f"{asked.call.caller.email}. Ask somebody who may see it, or an administrator.",
        asked.does.actions,
    )


# -- what it is about ----------------------------------------------------------------------------


def scope_unknown(asked: Asked, bound: Bound) -> Deny:
    who, kind = asked.call.caller.email, bound.kind
    return Deny(
        bound.rule,
        "scope_unknown",
        f"{bound.rule} limits {who} to certain {kind}, and the arguments of {_what(asked)} do not "
        f"say which {kind} it is about. Name them, or use a tool that takes their names"
        f"{_allowing(bound)}.",
        asked.does.actions,
    )


def outside(asked: Asked, bound: Bound, name: str) -> Deny:
    return Deny(
        bound.rule,
        "outside_scope",
        f"{shown(name)} is not among the {bound.kind} that {bound.rule} opens to "
        f"{asked.call.caller.email}{_allowing(bound)}. Ask an administrator to add it.",
        asked.does.actions,
    )


def off_limits(asked: Asked, bound: Bound, name: str) -> Deny:
    return Deny(
        bound.rule,
        "outside_scope",
        f"{shown(name)} is among the {bound.kind} that {bound.rule} closes to "
        f"{asked.call.caller.email}. Another role cannot open it: ask an administrator.",
        asked.does.actions,
    )


def _allowing(bound: Bound) -> str:
    return f"; allowed: {_some(bound.allow)}" if bound.allow else ""


def _some(globs: Sequence[Glob]) -> str:
    more = f" and {len(globs) - MOST_NAMES} more" if len(globs) > MOST_NAMES else ""
    return ", ".join(f"`{glob.text}`" for glob in globs[:MOST_NAMES]) + more


# -- where from, and when ------------------------------------------------------------------------


def elsewhere(asked: Asked, rule: str) -> Deny:
    return Deny(
        rule,
        "outside_network",
        f"{rule} takes calls to {asked.call.server.name} from certain networks only, and this one "
        f"comes from {asked.call.ip}. Connect from there, or ask an administrator.",
        asked.does.actions,
    )


def other_client(asked: Asked, rule: str, clients: Iterable[str]) -> Deny:
    client = asked.call.client
    is_called = f"calls itself {shown(client)}" if client else "does not say its name"
    return Deny(
        rule,
        "client_not_allowed",
        f"{rule} takes calls from {', '.join(sorted(clients))} only, and this client {is_called}.",
        asked.does.actions,
    )


def by_policy(asked: Asked, policy: Policy) -> Deny:
    """The policy's own words come first, where it has any."""
    match policy.effect:
        case Effect.DENY_OUTSIDE_HOURS:
            code, said = "outside_hours", _closed(asked, policy)
        case Effect.DENY_OUTSIDE_NETWORKS:
            found = elsewhere(asked, policy.name)
            code, said = found.code, found.reason
        case Effect.DENY_OTHER_CLIENTS:
            found = other_client(asked, policy.name, policy.clients or ())
            code, said = found.code, found.reason
        case _:
            code = "denied_by_policy"
            said = (
                f"The policy {policy.name!r} refuses {_what(asked)} to {asked.call.caller.email}."
            )
    return Deny(policy.name, code, _explained(policy, said), asked.does.actions)


def untold(asked: Asked, policy: Policy, why: str) -> Deny:
    condition = "" if policy.when is None else policy.when.text
    return Deny(
        policy.name,
        "condition_failed",
        f"The policy {policy.name!r} asks {shown(condition)}, which cannot be told of this call "
        f"({why}), so {_what(asked)} is refused.",
        asked.does.actions,
    )


def agreement(asked: Asked, wanting: Sequence[Policy]) -> str:
    """Why somebody has to agree first."""
    first = wanting[0]
    said = f"The policy {first.name!r} wants somebody to agree to {_what(asked)} first."
    return _explained(first, said)


def _explained(policy: Policy, said: str) -> str:
    return f"{policy.reason.rstrip('.')}. {said}" if policy.reason else said


def _closed(asked: Asked, policy: Policy) -> str:
    name = asked.call.server.name
    hours = policy.hours
    if hours is None:
        return f"{policy.name} closes {name} outside its hours."
    local = datetime.fromtimestamp(asked.now, hours.zone)
    return (
        f"{policy.name} opens {_what(asked)} {opening(hours)}, and it is "
        f"{DAYS[local.weekday()]}, {local:%H:%M} there."
    )


def opening(hours: Hours) -> str:
    """`Monday to Friday 08:00-18:00 (Europe/Berlin)`."""
    windows = " and ".join(f"{_clock(start)}-{_clock(end)}" for start, end in hours.windows)
    closed = ", except on holidays" if hours.holidays else ""
    return f"{_days(hours.days)} {windows} ({hours.zone}){closed}"


def _days(days: frozenset[int]) -> str:
    found = sorted(days)
    if len(found) == len(DAYS):
        return "daily"
    if len(found) > 2 and found == list(range(found[0], found[-1] + 1)):
        return f"{DAYS[found[0]]} to {DAYS[found[-1]]}"
    return ", ".join(DAYS[day] for day in found) or "never"


def _clock(second: int) -> str:
    return f"{second // 3600:02d}:{second // 60 % 60:02d}"


# -- in other words ------------------------------------------------------------------------------


def _what(asked: Asked) -> str:
    """`create_issue` on github."""
    call = asked.call
    tool = call.method if asked.open or call.method != "tools/call" else asked.does.tool
    return f"{shown(tool)} on {call.server.name}"


def _doing(asked: Asked, action: str) -> str:
    article = "an" if action[0] in "aeiou" else "a"
    act = f"{article} {action}" if action in ("read", "write") else f"{article} {action} action"
    return act if asked.vague else f"{act} on {asked.does.type}"


def _held(asked: Asked) -> str:
    """`alice@example.org's role developer allows github.read`."""
    roles: dict[str, list[str]] = {}
    rules = list(dict.fromkeys(permission.rule for permission in asked.access.allows))
    for rule in rules[:MOST_RULES]:
        source, _, text = rule.partition(": ")
        known = text != "" and source in asked.phase.roles
        roles.setdefault(f"role {source}" if known else "rule", []).append(text if known else rule)
    allows = " and ".join(f"{who} allows {', '.join(what)}" for who, what in roles.items())
    more = f" and {len(rules) - MOST_RULES} rules more" if len(rules) > MOST_RULES else ""
    return f"{asked.call.caller.email}'s {allows}{more}"
