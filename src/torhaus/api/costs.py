"""`/api/v1/cost`: calls, savings and money by month."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from torhaus.admin.costs import Line, lines, visible
from torhaus.api.backstage import Backstage
from torhaus.api.door import Caller, caller
from torhaus.api.shapes import Given
from torhaus.limits.spending import share
from torhaus.model.cost import Costs
from torhaus.model.usage import Used
from torhaus.policy.approvers import administers

Who = Annotated[Caller, Depends(caller)]
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
        total = lines([_renamed(each) for each in seen], costs, "role")
        return CostOut(
            month=name,
            total=LineOut.of(total[0]) if total else _nothing(),
            lines=[LineOut.of(each) for each in lines(seen, costs, by)],
            budgets=[
                each
                for each in _budgets(used, costs)
                if administers(who.principal, each.server, now)
            ],
        )

    return routes


def _renamed(used: Used) -> Used:
    """All in one group."""
    use = type(used.use)(used.use.month, used.use.server, used.use.tool, "", "all")
    return Used(use, used.calls, used.saved)


def _nothing() -> LineOut:
    return LineOut(name="all", calls=0, saved=0, spent=None, kept=None, currency=None)


def _budgets(used: list[Used], costs: Costs) -> list[BudgetOut]:
    found = []
    for whose, cap in costs.caps.items():
        mine = [_renamed(each) for each in used if whose in ("*", each.use.server)]
        line = next(iter(lines(mine, costs, "role")), None)
        spent = cap.amount * 0 if line is None or line.spent is None else line.spent
        found.append(
            BudgetOut(
                server=whose,
                budget=f"{cap.amount:f}",
                spent=f"{spent:f}",
                currency=cap.currency,
                share=round(float(share(cap, spent)), 4),
                stops=cap.stop,
            )
        )
    return found
