"""Budgets by the month outlive a restart: what was used of them before it."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import tzinfo

from torhaus.limits.charges import monthly
from torhaus.limits.spending import cost_charges
from torhaus.model.cost import Costs
from torhaus.model.limits import Limits
from torhaus.model.people import Principal
from torhaus.model.ports import Charge
from torhaus.model.usage import Used


def carried(
    used: Sequence[Used],
    limits: Limits,
    costs: Costs,
    people: Mapping[str, Principal],
    zone: tzinfo,
    now: float,
) -> Iterator[Charge]:
    """The charges of calls that were made this month before this process began.

    `people`: by e-mail address; who is gone drew on the plans of everybody. `zone`: whose months
    the budgets of money go by.
    """
    for each in used:
        use = each.use
        yield from cost_charges(use.server, use.tool, costs, now, zone, each.calls)
        groups = people[use.user].groups if use.user in people else ()
        who = people[use.user].id if use.user in people else use.user
        for allowance in limits.allowances:
            if allowance.groups and allowance.groups.isdisjoint(groups):
                continue
            calls = each.calls + (each.saved if allowance.hits else 0)
            if calls:
                yield from monthly(allowance, who, now, calls)
