"""Policies: rules with conditions, on top of what roles and blocks say."""

from torhaus.model.access import Effect, Policy
from torhaus.model.networks import lies_in
from torhaus.model.verdict import Allow, Deny, Hold, Step
from torhaus.policy import refusals
from torhaus.policy.asked import Asked, Trace
from torhaus.policy.hours import within
from torhaus.policy.names import normal
from torhaus.policy.origins import named


def policed(asked: Asked, trace: Trace) -> Deny | None:
    """The first policy that refuses the call. A condition that cannot be told refuses too."""
    for policy in asked.index.refusing:
        if not concerns(policy, asked) or not _hits(policy, asked):
            _note(trace, policy, "pass", "does not apply to this call, now")
            continue
        try:
            if policy.when is None or policy.when.holds(asked.facts):
                return refusals.by_policy(asked, policy)
        except ValueError as error:
            return refusals.untold(asked, policy, str(error))
        _note(trace, policy, "pass", f"{policy.when.text} is not true of it")
    return None


def held(asked: Asked, allow: Allow, trace: Trace) -> Allow | Deny | Hold:
    """The allowed call, unless somebody else has to agree first."""
    if asked.open or not asked.index.asking:
        return allow
    wanting: list[Policy] = []
    for policy in asked.index.asking:
        if not _applies(policy, asked):
            _note(trace, policy, "pass", "asks nobody about this call")
            continue
        try:
            if policy.when is None or policy.when.holds(asked.facts):
                wanting.append(policy)
                _note(trace, policy, "approval", "somebody has to agree")
        except ValueError as error:
            return refusals.untold(asked, policy, str(error))
    if not wanting:
        return allow
    rule = ", ".join(dict.fromkeys(policy.name for policy in wanting))
    reason = refusals.agreement(asked, wanting)
    return Hold(rule, reason, allow, tuple(policy.approvers for policy in wanting))


def obliged(asked: Asked, allow: Allow, trace: Trace) -> Allow:
    """What comes with the permission: masking, and being noted by policies that only watch."""
    redact = asked.access.redact
    noted: list[str] = []
    for policy in asked.index.watching:
        if not _applies(policy, asked) or not _may_hold(policy, asked):
            continue
        if policy.effect is Effect.LOG_ONLY:
            noted.append(policy.name)
            _note(trace, policy, "note", "it only watches")
        elif redact is None:
            redact = policy.name
    if redact is None and not noted:
        return allow
    if trace is not None and redact is not None:
        trace.append(Step("redaction", "note", redact, "arguments and result are masked"))
    return Allow(allow.rule, allow.reason, allow.actions, redact=redact, noted=tuple(noted))


def concerns(policy: Policy, asked: Asked) -> bool:
    """Whether it is about such calls at all: its tools, actions and types.

    What nobody classified may be any of them. Requests that any permission is enough for are
    only touched by policies about the whole server.
    """
    if asked.open:
        return not (policy.tools or policy.actions or policy.types or policy.when)
    if policy.tools and not _names_tool(policy, asked):
        return False
    does = asked.does
    if policy.actions and not asked.unknown and policy.actions.isdisjoint(does.actions):
        return False
    return (
        not policy.types
        or asked.vague
        or "*" in policy.types
        or not policy.types.isdisjoint(asked.lineage)
    )


def _names_tool(policy: Policy, asked: Asked) -> bool:
    """Both names count of a tool that runs another one."""
    if asked.call.method != "tools/call":
        return False
    names = {normal(asked.call.operation), normal(asked.does.tool)}
    return any(glob.pattern.fullmatch(name) for glob in policy.tools for name in names)


def _hits(policy: Policy, asked: Asked) -> bool:
    """Whether it refuses such a call now, from there. What it is named after must not hold."""
    match policy.effect:
        case Effect.DENY_OUTSIDE_HOURS:
            within_hours = policy.hours is not None and _in_hours(policy, asked)
            return not within_hours and _from_there(policy, asked) and _with_it(policy, asked)
        case Effect.DENY_OUTSIDE_NETWORKS:
            there = policy.networks is not None and _from_there(policy, asked)
            return not there and _in_hours(policy, asked) and _with_it(policy, asked)
        case Effect.DENY_OTHER_CLIENTS:
            with_it = policy.clients is not None and _with_it(policy, asked)
            return not with_it and _in_hours(policy, asked) and _from_there(policy, asked)
        case _:
            return _now_and_there(policy, asked)


def _applies(policy: Policy, asked: Asked) -> bool:
    return concerns(policy, asked) and _now_and_there(policy, asked)


def _now_and_there(policy: Policy, asked: Asked) -> bool:
    return _in_hours(policy, asked) and _from_there(policy, asked) and _with_it(policy, asked)


def _in_hours(policy: Policy, asked: Asked) -> bool:
    return policy.hours is None or within(policy.hours, asked.now)


def _from_there(policy: Policy, asked: Asked) -> bool:
    return policy.networks is None or lies_in(policy.networks, asked.call.ip)


def _with_it(policy: Policy, asked: Asked) -> bool:
    return policy.clients is None or named(asked.call.client, policy.clients)


def _may_hold(policy: Policy, asked: Asked) -> bool:
    try:
        return policy.when is None or policy.when.holds(asked.facts)
    except ValueError:
        return True


def _note(trace: Trace, policy: Policy, result: str, detail: str) -> None:
    if trace is not None:
        trace.append(Step("policies", result, policy.name, detail))
