"""`/api/v1/me/limits`: what is left of one's budgets."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from torhaus.api.door import Caller, Who
from torhaus.api.shapes import Given
from torhaus.model.ports import Remaining

Left = Callable[[Caller], Awaitable[Sequence[Remaining]]]


class LimitOut(Given):
    """One budget."""

    limit: Annotated[str, Field(description="Such as `github: 100 calls per hour`.")]
    remaining: int
    reset: Annotated[float, Field(description="Seconds until more is left; 0: nothing is used.")]


def router(left: Left) -> APIRouter:
    routes = APIRouter(prefix="/me/limits", tags=["me"])

    @routes.get("")
    async def limits(who: Who) -> list[LimitOut]:
        """What is left of each budget you draw on; those of single tools are not among them."""
        return [
            LimitOut(limit=each.charge.limit, remaining=each.left, reset=round(each.reset, 3))
            for each in await left(who)
        ]

    return routes
