"""Refusals as sentences a person can act on."""

from collections.abc import Sequence
from datetime import UTC, datetime

from torhaus.model.call import Call
from torhaus.model.people import Permission
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
    held = call.caller.permissions(call.server.name)
    rules = list(dict.fromkeys(permission.rule for permission in held))
    more = f" and {len(rules) - MOST_RULES} more" if len(rules) > MOST_RULES else ""
    return f"{call.caller.email} has {_listed(held, rules[:MOST_RULES])}{more}"


def _listed(held: Sequence[Permission], rules: Sequence[str]) -> str:
    return ", ".join(f"`{rule}`" for rule in rules) if held else "none"
