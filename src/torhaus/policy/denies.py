"""What is forbidden whoever allows it: deny lists and restrictions."""

from collections.abc import Iterable

from torhaus.model.access import Condition, Permission
from torhaus.model.verdict import Deny, Step
from torhaus.policy import refusals
from torhaus.policy.asked import Asked, Trace
from torhaus.policy.classify import Classified
from torhaus.policy.index import Shelf


def forbidden(asked: Asked, trace: Trace) -> Deny | None:
    """A deny covers its type and what belongs to it, as a grant does.

    It also stands where it may be meant: for a call of unknown action or type, and where its
    condition cannot be told.
    """
    denies = asked.index.denies
    if not denies.every or asked.open:
        return None
    for action in _in_order(asked):
        for deny in candidates(denies, asked.does, action, asked.lineage):
            if stands(deny.when, asked):
                return refusals.denied(asked, deny, action)
    if trace is not None:
        count = len(denies.every)
        trace.append(Step("denies", "pass", "", f"none of {count} denies is about this call"))
    return None


def tagged(asked: Asked, trace: Trace) -> Deny | None:
    """Tags are known from a table alone: what nobody classified may show anything."""
    if not asked.access.tags or asked.open:
        return None
    for each in asked.access.tags:
        if asked.unknown or not each.tags.isdisjoint(asked.does.tags):
            return refusals.tagged(asked, each)
    if trace is not None:
        found = ", ".join(sorted(asked.does.tags)) or "none"
        for each in asked.access.tags:
            refused = " or ".join(sorted(each.tags))
            trace.append(Step("tags", "pass", each.rule, f"refuses {refused}; this has {found}"))
    return None


def stands(when: Condition | None, asked: Asked) -> bool:
    """Whether a rule that only takes away stands: also where its condition cannot be told."""
    if when is None:
        return True
    try:
        return when.holds(asked.facts)
    except ValueError:
        return True


def _in_order(asked: Asked) -> Iterable[str]:
    actions = asked.does.actions
    return actions if len(actions) == 1 else sorted(actions)


def candidates(
    denies: Shelf, does: Classified, action: str, kinds: tuple[str, ...]
) -> Iterable[Permission]:
    """Denies that are about this action of the call, whatever their conditions say."""
    if "unknown" in does.actions:
        return denies.every
    if does.type in ("", "*"):
        return (each for each in denies.every if each.action in (action, "*"))
    return denies.covering(action, kinds)
