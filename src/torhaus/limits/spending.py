"""What calls have cost and saved, from how many there were."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from decimal import Decimal

import msgspec

from torhaus.limits.charges import CHARGED
from torhaus.limits.months import month
from torhaus.model.call import Call
from torhaus.model.cost import Costs, SpendingCap
from torhaus.model.limits import Quota
from torhaus.model.outcome import Answered, Failed, Outcome
from torhaus.model.ports import Charge
from torhaus.model.usage import Used

GRAIN = 10**9
"""Parts of a unit of money that a hard stop counts in."""


class Tally(msgspec.Struct, frozen=True):
    """Calls of one tool in some time: those that went to the server, and those saved."""

    calls: int
    saved: int


class Spending(msgspec.Struct, frozen=True):
    """Money in one currency."""

    spent: Decimal
    saved: Decimal


def sent_and_saved(outcome: Outcome) -> tuple[int, int]:
    """Calls that reached the server by this end of one, and calls that the cache saved.

    A failed one may have reached the API, and was paid for.
    """
    if type(outcome) is Answered:  # no `match`, no `isinstance`: this is asked of every call
        if outcome.cached:
            return (1 if outcome.refreshed else 0), 1
        return 1, 0
    if isinstance(outcome, Failed):
        return (0 if outcome.joined else 1), 0
    return 0, 0


def cost_of(call: Call, outcome: Outcome, costs: Costs) -> float:
    """What a call has cost, in the currency of its price; 0 for what has none."""
    if call.method not in CHARGED:
        return 0.0
    price = costs.price(call.server.name, call.operation)
    if price is None:
        return 0.0
    return float(price.amount) if sent_and_saved(outcome)[0] else 0.0


def spending(tallies: Mapping[tuple[str, str], Tally], costs: Costs) -> dict[str, Spending]:
    """Currency -> money, for tallies by (server, tool). What has no price costs nothing."""
    sums: dict[str, Spending] = {}
    for (server, tool), tally in tallies.items():
        price = costs.price(server, tool)
        if price is None:
            continue
        held = sums.get(price.currency, Spending(Decimal(0), Decimal(0)))
        sums[price.currency] = Spending(
            held.spent + price.amount * tally.calls, held.saved + price.amount * tally.saved
        )
    return sums


def by_tool(used: Iterable[Used]) -> dict[tuple[str, str], Tally]:
    """Sums for each (server, tool)."""
    sums: dict[tuple[str, str], Tally] = {}
    for each in used:
        key = (each.use.server, each.use.tool)
        held = sums.get(key, Tally(0, 0))
        sums[key] = Tally(held.calls + each.calls, held.saved + each.saved)
    return sums


def spent(used: Iterable[Used], whose: str, cap: SpendingCap, costs: Costs) -> Decimal:
    """What a budget has lost by these calls. `whose`: its server, or `*`."""
    mine = by_tool(each for each in used if whose in ("*", each.use.server))
    found = spending(mine, costs).get(cap.currency)
    return Decimal(0) if found is None else found.spent


def share(cap: SpendingCap, spent: Decimal) -> Decimal:
    """How much of a budget is spent, 1 for all of it. Of a budget of nothing, all is."""
    return spent / cap.amount if cap.amount > 0 else Decimal(1)


def cost_charges(
    server: str, tool: str, costs: Costs, now: float, zone: tzinfo, calls: int = 1
) -> tuple[Charge, ...]:
    """What calls draw on budgets with a hard stop: their price, on the server's and on `*`."""
    price = costs.price(server, tool)
    if price is None or price.amount <= 0 or not costs.caps:
        return ()
    found = []
    for whose in (server, "*"):
        cap = costs.caps.get(whose)
        if cap is None or not cap.stop or cap.currency != price.currency:
            continue
        quota = Quota(int(cap.amount * GRAIN), *month(now, zone))
        text = f"{'all servers' if whose == '*' else whose}: {cap.amount} {cap.currency} per month"
        found.append(Charge(f"cost\n{whose}", quota, text, int(price.amount * GRAIN) * calls))
    return tuple(found)
