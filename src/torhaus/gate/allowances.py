"""What is left of a caller's budgets."""

from collections.abc import Iterator, Sequence

import msgspec

from torhaus.limits.charges import charges
from torhaus.model.call import Call
from torhaus.model.people import Principal
from torhaus.model.ports import Charge, Counters, Remaining
from torhaus.model.rules import Rules
from torhaus.policy.visible import may_use


def budgets(rules: Rules, caller: Principal, key: str, now: float) -> dict[str, Charge]:
    """What a call of any tool would draw on, by the budget's key, on servers the caller may use.

    Limits on certain tools, or for each tool, are known by a call of those tools only.
    """
    found: dict[str, Charge] = {}
    limits = rules.limits
    if any(rule.tools or rule.by_tool for rule in limits.rules):
        general = tuple(rule for rule in limits.rules if not (rule.tools or rule.by_tool))
        limits = msgspec.structs.replace(limits, rules=general)
    for call in _calls(rules, caller, now):
        for charge in charges(call, limits, now, key):
            found.setdefault(charge.key, charge)
    return found


async def left(
    counters: Counters, rules: Rules, caller: Principal, key: str, now: float
) -> Sequence[Remaining]:
    """In the order of the configuration. `now`: Unix seconds."""
    return await counters.remaining([*budgets(rules, caller, key, now).values()], now)


def _calls(rules: Rules, caller: Principal, now: float) -> Iterator[Call]:
    for server in rules.servers.values():
        if may_use(caller, server, now):
            yield Call(
                id="",
                caller=caller,
                server=server,
                method="tools/call",
                operation="",
                arguments={},
                payload=b"{}",
                ip="",
            )
