"""Refusals as sentences a person can act on."""

from datetime import UTC, datetime

from torhaus.model.call import Call
from torhaus.model.verdict import Deny
from torhaus.policy.names import shown

DEFAULT_DENY = "default_deny"
MOST_RULES = 5


def expired(call: Call, ended: float) -> Deny:
    when = datetime.fromtimestamp(ended, UTC)
    return Deny(
        "access_expired",
        "access_expired",
        f"Access for {call.caller.email} ended on {when:%Y-%m-%d at %H:%M} UTC. "
        f"Ask an administrator to extend it.",
    )


def no_access(call: Call) -> Deny:
    name = call.server.name
    return Deny(
        DEFAULT_DENY,
        "no_grant",
        f"{call.caller.email} has no permission on {name}. "
        f"Ask an administrator for `{name}:read` or what else the work needs.",
    )


def bad_argument(problem: str) -> Deny:
    return Deny(
        "classification",
        "bad_argument",
        f"{problem}. What the call would do cannot be told otherwise.",
    )


def unclassified(call: Call, what: str, actions: frozenset[str]) -> Deny:
    name = call.server.name
    return Deny(
        DEFAULT_DENY,
        "no_grant",
        f"Nobody has said what {shown(what)} on {name} does, so it takes `{name}:*`; "
        f"{_held(call)}. Ask an administrator to classify it or for `{name}:*`.",
        actions,
    )


def missing(call: Call, what: str, action: str, kind: str, actions: frozenset[str]) -> Deny:
    """`kind`: empty or `*` when only a permission for every type will do."""
    name = call.server.name
    narrow = kind not in ("", "*")
    wanted = f"{name}:{kind}:{action}" if narrow else f"{name}:{action}"
    verb = "an" if action[0] in "aeiou" else "a"
    on = f" on {kind}" if narrow else ""
    acts = f"{verb} {action}" if action in ("read", "write") else f"{verb} {action} action"
    return Deny(
        DEFAULT_DENY,
        "no_grant",
        f"{shown(what)} on {name} is {acts}{on}; {_held(call)}. "
        f"Ask an administrator for `{wanted}`.",
        actions,
    )


def _held(call: Call) -> str:
    """`alice@example.org's role developer allows github.read`."""
    roles: dict[str, list[str]] = {}
    held = call.caller.permissions(call.server.name)
    rules = list(dict.fromkeys(permission.rule for permission in held))
    for rule in rules[:MOST_RULES]:
        source, _, text = rule.partition(": ")
        known = text != "" and source in call.caller.roles
        roles.setdefault(f"role {source}" if known else "rule", []).append(text if known else rule)
    allows = " and ".join(f"{who} allows {', '.join(what)}" for who, what in roles.items())
    more = f" and {len(rules) - MOST_RULES} rules more" if len(rules) > MOST_RULES else ""
    return f"{call.caller.email}'s {allows}{more}"
