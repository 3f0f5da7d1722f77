"""`/api/v1/cost`: calls, savings and money by month."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import Field

from torhaus.admin.costs import Line, lines, summed, visible
from torhaus.api.backstage import Backstage
from torhaus.api.door import Who
from torhaus.api.shapes import Given
from torhaus.limits.spending import share, spent
from torhaus.model.cost import Costs
from torhaus.model.usage import Used
from torhaus.policy.approvers import administers

Read = Callable[[str | None], Awaitable[tuple[str, list[Used]]]]
"""The month's name, and what was used in it; None for this month."""


class LineOut(Given):
    """Calls of one server, tool, user or role. Money is text, to the last digit."""

    name: str
    calls: Annotated[int, Field(description="Those that reached the server.")]
    saved: Annotated[int, Field(description="Those the cache answered.")]
    spent: str | None
    kept: Annotated[str | None, Field(description="What the saved ones would have cost.")]
    currency: str | None

    @classmethod
    def of(cls, line: Line) -> "LineOut":
        return cls(
            name=line.name,
            calls=line.calls,
            saved=line.saved,
            spent=None if line.spent is None else f"{line.spent:f}",
            kept=None if line.kept is None else f"{line.kept:f}",
            currency=line.currency,
        )


class BudgetOut(Given):
    """A monthly budget, for its administrators."""

    server: str
    budget: str
    spent: str
    currency: str
    share: Annotated[float, Field(description="1 is all of it.")]
    stops: bool


class CostOut(Given):
    """One month."""

    month: str
    total: LineOut
    lines: list[LineOut]
    budgets: list[BudgetOut]


def router(backstage: Backstage, read: Read) -> APIRouter:
    routes = APIRouter(prefix="/cost", tags=["cost"])

    @routes.get("")
    async def cost(
        who: Who,
        month: Annotated[
            str | None, Query(pattern=r"^[0-9]{4}-[0-9]{2}$", description="Such as 2026-11.")
        ] = None,
        by: Annotated[Literal["server", "tool", "user", "role"], Query()] = "server",
    ) -> CostOut:
        """Yours, and everybody's on servers you administer."""
        name, used = await read(month)
        now, costs = backstage.clock(), backstage.rules().costs
        seen = visible(used, who.principal, now)
        return CostOut(
            month=name,
            total=LineOut.of(summed("all", seen, costs)),
            lines=[LineOut.of(each) for each in lines(seen, costs, by)],
            budgets=[
                each
                for each in _budgets(used, costs)
                if administers(who.principal, each.server, now)
            ],
        )

    return routes


def _budgets(used: list[Used], costs: Costs) -> list[BudgetOut]:
    found = []
    for whose, cap in costs.caps.items():
        money = spent(used, whose, cap, costs)
        found.append(
            BudgetOut(
                server=whose,
                budget=f"{cap.amount:f}",
                spent=f"{money:f}",
                currency=cap.currency,
                share=round(float(share(cap, money)), 4),
                stops=cap.stop,
            )
        )
    return found
