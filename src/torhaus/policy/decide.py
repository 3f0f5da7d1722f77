"""May this call pass? Pure: a call and the time go in, a verdict comes out."""

from collections.abc import Sequence

from torhaus.model.call import Call
from torhaus.model.people import Permission
from torhaus.model.verdict import Allow, Deny, Verdict
from torhaus.policy import refusals
from torhaus.policy.classify import classify
from torhaus.policy.grants import granting
from torhaus.policy.methods import need


def decide(call: Call, now: float) -> Verdict:
    """Default deny: every action of the call needs a permission that covers it.

    `now`: Unix seconds. `Allow.rule` names the permission, several joined by a comma.
    """
    caller = call.caller
    if caller.expires is not None and now >= caller.expires:
        return refusals.expired(call, caller.expires)
    held = caller.permissions(call.server.name)
    if not held:
        return refusals.no_access(call)
    if call.method == "tools/call":
        return _tool(call, held)
    return _request(call, held)


def _tool(call: Call, held: Sequence[Permission]) -> Verdict:
    does = classify(call.server, call.operation, call.arguments, call.hints)
    if does.problem is not None:
        return refusals.bad_argument(does.problem)
    if not does.actions:
        return refusals.bad_argument(f"the class of {call.operation!r} names no action")
    return _judged(call, held, does.tool, does.actions, does.type)


def _request(call: Call, held: Sequence[Permission]) -> Verdict:
    needed = need(call.method, call.arguments)
    if needed is None:
        rule = held[0].rule
        return Allow(rule, f"{rule} opens {call.server.name}")
    return _judged(call, held, call.method, frozenset((needed.action,)), needed.type)


def _judged(
    call: Call, held: Sequence[Permission], what: str, actions: frozenset[str], kind: str
) -> Verdict:
    rules = []
    for action in actions if len(actions) == 1 else sorted(actions):
        grant = granting(held, action, kind, call.server.parents)
        if grant is None:
            return _denied(call, what, action, kind, actions)
        if grant.rule not in rules:
            rules.append(grant.rule)
    rule = rules[0] if len(rules) == 1 else ", ".join(rules)
    return Allow(rule, f"{rule} allows {' and '.join(sorted(actions))}", actions)


def _denied(call: Call, what: str, action: str, kind: str, actions: frozenset[str]) -> Deny:
    if action == "unknown":
        return refusals.unclassified(call, what, actions)
    return refusals.missing(call, what, action, kind, actions)
