"""What calls have cost and saved, as one caller may see it."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec

from torhaus.limits.spending import by_tool, spending
from torhaus.model.cost import Costs
from torhaus.model.people import Principal
from torhaus.model.usage import Used
from torhaus.policy.approvers import administers

BY: Mapping[str, Callable[[Used], str]] = {
    "server": lambda each: each.use.server,
    "tool": lambda each: f"{each.use.server}.{each.use.tool}",
    "user": lambda each: each.use.user,
    "role": lambda each: each.use.roles,
}


class Line(msgspec.Struct, frozen=True):
    """`name`: a server, tool, user or his roles. `spent` and `kept`: money; None without prices."""

    name: str
    calls: int
    saved: int
    spent: Decimal | None
    kept: Decimal | None
    currency: str | None


def visible(used: Iterable[Used], viewer: Principal, now: float) -> list[Used]:
    """His own, and everybody's on servers he administers."""
    own = viewer.email
    admin: dict[str, bool] = {}
    found = []
    for each in used:
        server = each.use.server
        if server not in admin:
            admin[server] = administers(viewer, server, now)
        if admin[server] or each.use.user == own:
            found.append(each)
    return found


def lines(used: Sequence[Used], costs: Costs, by: str) -> list[Line]:
    """Sums, those with the most calls first. `by`: one of BY."""
    name = BY[by]
    groups: dict[str, list[Used]] = {}
    for each in used:
        groups.setdefault(name(each), []).append(each)
    found = [summed(who, group, costs) for who, group in groups.items()]
    return sorted(found, key=lambda line: (-line.calls, -line.saved, line.name))


def summed(name: str, used: Iterable[Used], costs: Costs) -> Line:
    """All of it in one line."""
    tallies = by_tool(used)
    # There is one currency in a configuration.
    currency, amounts = next(iter(spending(tallies, costs).items()), (None, None))
    return Line(
        name=name,
        calls=sum(each.calls for each in tallies.values()),
        saved=sum(each.saved for each in tallies.values()),
        spent=None if amounts is None else amounts.spent,
        kept=None if amounts is None else amounts.saved,
        currency=currency,
    )
