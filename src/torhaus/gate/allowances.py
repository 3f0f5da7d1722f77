"""What is left of a caller's budgets."""

import asyncio
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from torhaus.limits.charges import charges
from torhaus.model.call import Call
from torhaus.model.limits import Scarcity
from torhaus.model.people import Principal
from torhaus.model.ports import Charge, Counters, Remaining
from torhaus.model.rules import Rules
from torhaus.policy.visible import may_use

AT_ONCE = 100
"""Budgets asked for with one question."""


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


async def scarcest(
    counters: Counters, rules: Rules, callers: Iterable[Principal], now: float
) -> dict[str, Scarcity]:
    """How much is left of each limit, by what people call it. Budgets for each key are left out.

    Gives way between callers: it is no hurry, and calls are.
    """
    found: dict[str, Charge] = {}
    for caller in callers:
        for key, charge in budgets(rules, caller, "", now).items():
            found.setdefault(key, charge)
        await asyncio.sleep(0)
    least: dict[str, Scarcity] = {}
    wanted = [*found.values()]
    for at in range(0, len(wanted), AT_ONCE):
        for remaining in await counters.remaining(wanted[at : at + AT_ONCE], now):
            limit = remaining.charge.limit
            least[limit] = _least(least.get(limit), remaining)
    return least


def _least(had: Scarcity | None, one: Remaining) -> Scarcity:
    none = int(one.left <= 0)
    if had is None:
        return Scarcity(one.left, one.reset, none)
    left, reset = min((had.remaining, had.reset_seconds), (one.left, one.reset))
    return Scarcity(left, reset, had.exhausted + none)


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
