"""May this call pass? Pure: a call and the time go in, a verdict comes out.

The gate, `explain` and the simulator ask this one function (design.md 6; the order is that of
identity research B.7).
"""

from collections.abc import Mapping
from typing import Any

from torhaus.model.call import Call
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import Server
from torhaus.model.verdict import Allow, Deny, Step, Verdict
from torhaus.policy import refusals
from torhaus.policy.asked import Asked, Trace
from torhaus.policy.bounds import bounded, misread
from torhaus.policy.classify import NOTHING, Classified, classify
from torhaus.policy.denies import forbidden, tagged
from torhaus.policy.grants import granting
from torhaus.policy.methods import LISTEN, need, uris
from torhaus.policy.origins import misplaced
from torhaus.policy.policies import held, obliged, policed
from torhaus.policy.stops import stopped

LAYERS = (stopped, misread, forbidden, tagged, bounded, misplaced, policed)
"""What can refuse a call whoever allows it, in order. Each returns a Deny or None."""


def decide(call: Call, now: float, trace: list[Step] | None = None) -> Verdict:
    """Default deny: nothing forbids the call, and every action of it has a permission.

    `now`: Unix seconds. Into `trace`, if there is one, goes every step, the verdict last.
    """
    verdict = _decided(call, now, trace)
    if trace is not None:
        trace.append(_last(verdict))
    return verdict


def barred(
    caller: Principal,
    server: Server,
    ip: str,
    client: str,
    now: float,
    asks: tuple[str, Mapping[str, Any]] = (LISTEN, NOTHING),
) -> Deny | None:
    """Why somebody may not even listen to a server now, or tell it something; None when he may.

    `asks`: method and params, such as a subscriptions/listen that names certain resources.
    """
    method, params = asks
    call = Call(
        id="",
        caller=caller,
        server=server,
        method=method,
        operation=method,
        arguments=params,
        payload=b"",
        ip=ip,
        client=client,
    )
    verdict = decide(call, now)
    return verdict if isinstance(verdict, Deny) else None


def _decided(call: Call, now: float, trace: Trace) -> Verdict:
    phase = call.caller.phase(now)
    if not phase.roles and not phase.access:
        return refusals.inactive(call, now)
    _note_caller(call, phase, trace)
    if call.method == "tools/call":
        does = classify(call.server, call.operation, call.arguments, call.hints)
        asked = Asked(call, now, phase, does)
        _note_class(call, does, trace)
        if does.problem is not None:
            return refusals.bad_argument(does.problem)
        if not does.actions:
            return refusals.bad_argument(f"the class of {call.operation!r} names no action")
    else:
        asked = _request(call, now, phase)
        _note_request(asked, trace)
    for layer in LAYERS:
        denied = layer(asked, trace)
        if denied is not None:
            return denied
    allowed = _allowed(asked, trace)
    if isinstance(allowed, Deny):
        return allowed
    return held(asked, obliged(asked, allowed, trace), trace)


def _request(call: Call, now: float, phase: Phase) -> Asked:
    """A request of the protocol that calls no tool."""
    needed = need(call.method, call.arguments)
    if needed is None:
        return Asked(call, now, phase, None)
    does = Classified(
        actions=frozenset((needed.action,)),
        type=needed.type,
        tool=call.method,
        source="method",
        arguments=call.arguments,
    )
    asked = Asked(call, now, phase, does)
    asked.uris = uris(call.method, call.arguments)
    return asked


def _allowed(asked: Asked, trace: Trace) -> Allow | Deny:
    """Every action needs a permission of its own."""
    allows = asked.access.allows
    if not allows:
        return refusals.no_access(asked)
    if asked.access.scopes == ():
        return refusals.unscoped(asked, None)
    if asked.open:
        return Allow(allows[0].rule, f"{allows[0].rule} opens {asked.call.server.name}")
    actions = asked.does.actions
    rules: list[str] = []
    for action in actions if len(actions) == 1 else sorted(actions):
        grant = granting(asked, action)
        if grant is None:
            return refusals.missing(asked, action)
        if trace is not None:
            trace.append(Step("grants", "pass", grant.rule, f"allows {action}"))
        if grant.rule not in rules:
            rules.append(grant.rule)
    outside = _outside(asked, trace)
    if outside is not None:
        return outside
    rule = rules[0] if len(rules) == 1 else ", ".join(rules)
    return Allow(rule, f"{rule} allows {' and '.join(sorted(actions))}", actions)


def _outside(asked: Asked, trace: Trace) -> Deny | None:
    """Scopes of the credential take away, whatever its owner may do."""
    scopes = asked.index.scopes
    if scopes is None:
        return None
    for action in sorted(asked.does.actions):
        found = scopes.covering(action, asked.lineage)
        if not found:
            return refusals.unscoped(asked, action)
        if trace is not None:
            trace.append(Step("scopes", "pass", found[0].rule, f"holds {action}"))
    return None


# -- the trace, for people -----------------------------------------------------------------------


def _note_caller(call: Call, phase: Phase, trace: Trace) -> None:
    if trace is not None:
        roles = ", ".join(phase.roles) or "no role, but a block of his own"
        trace.append(Step("caller", "pass", "", f"{call.caller.email}: {roles}"))


def _note_class(call: Call, does: Classified, trace: Trace) -> None:
    if trace is None:
        return
    actions = ", ".join(sorted(does.actions)) or "nothing that can be told"
    said = [f"{actions} on {does.type or 'things of unknown type'}"]
    if does.tool != call.operation:
        said.append(f"runs {does.tool}")
    if does.tags:
        said.append(f"tags {', '.join(sorted(does.tags))}")
    trace.append(Step("class", "note", does.source, "; ".join(said)))


def _note_request(asked: Asked, trace: Trace) -> None:
    if trace is not None:
        method, does = asked.call.method, asked.does
        what = " ".join(sorted(does.actions)) + f" on {does.type or 'things of unknown type'}"
        said = "any permission is enough" if asked.open else what
        trace.append(Step("class", "note", "method", f"{method}: {said}"))


def _last(verdict: Verdict) -> Step:
    match verdict:
        case Allow():
            return Step("verdict", "allow", verdict.rule, verdict.reason)
        case Deny():
            return Step("verdict", "deny", verdict.rule, verdict.reason)
        case _:
            return Step("verdict", "approval", verdict.rule, verdict.reason)
