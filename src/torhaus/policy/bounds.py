"""Every thing a call is about must lie within every bound."""

from torhaus.model.verdict import Deny, Step
from torhaus.policy import refusals
from torhaus.policy.asked import Asked, Trace
from torhaus.policy.denies import stands
from torhaus.policy.index import Limit, Names
from torhaus.policy.targets import NOTHING


def misread(asked: Asked, trace: Trace) -> Deny | None:
    """Read the call's targets where a bound asks for them. What is not read decides nothing."""
    kinds = asked.index.kinds
    if not kinds or asked.open:
        return None
    asked.targets = about = asked.about(kinds)
    if about.problem is not None:
        return refusals.bad_argument(about.problem)
    if trace is not None:
        named = ", ".join(sorted(f"{kind} {name}" for kind, name in about.named))
        vague = f"unknown {' and '.join(sorted(about.unknown))}" if about.unknown else ""
        said = "; ".join(filter(None, (named, vague))) or "nothing that a bound is about"
        trace.append(Step("targets", "note", "", said))
    return None


def bounded(asked: Asked, trace: Trace) -> Deny | None:
    if asked.open or (asked.targets is NOTHING and trace is None):
        return None
    for limit in asked.index.limits:
        if not stands(limit.bound.when, asked):
            continue
        denied = _outside(asked, limit)
        if denied is not None:
            return denied
        if trace is not None:
            kind = limit.bound.kind
            trace.append(Step("bounds", "pass", limit.bound.rule, f"all {kind} lie within it"))
    return None


def _outside(asked: Asked, limit: Limit) -> Deny | None:
    bound = limit.bound
    if bound.kind in asked.targets.unknown:
        return refusals.scope_unknown(asked, bound)
    named = asked.targets.named
    # In one order, so that everybody who asks gets the same answer.
    for kind, name in named if len(named) == 1 else sorted(named):
        if kind != bound.kind:
            continue
        if limit.allow is not None and not _held(limit.allow, kind, name):
            return refusals.outside(asked, bound, name)
        if limit.deny is not None and _held(limit.deny, kind, name):
            return refusals.off_limits(asked, bound, name)
    return None


def _held(names: Names, kind: str, name: str) -> bool:
    # Slack takes both spellings, and so do the rules.
    return names.hold(name) or (kind == "channels" and names.hold(f"#{name}"))
