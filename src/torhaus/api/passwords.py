"""`/api/v1/reset-links`: one-time links at which somebody sets a new password."""

from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from torhaus.admin.acts import Refusal
from torhaus.api.door import Caller, Who
from torhaus.api.problems import refused
from torhaus.api.shapes import Given, Taken

ResetLink = Callable[[Caller, str, bool], Awaitable[str | Refusal]]
"""Who asks, for whose address, and whether the second factor goes too -> the link."""


class ResetIn(Taken):
    """For whom."""

    email: Annotated[str, Field(max_length=254, description="Whose password.")]
    second_factor: Annotated[
        bool, Field(description="Takes the second factor away as well; for a lost phone.")
    ] = False


class ResetOut(Given):
    """Shown once. Whoever has it sets the password."""

    url: str


def router(reset_link: ResetLink) -> APIRouter:
    routes = APIRouter(prefix="/reset-links", tags=["people"])

    @routes.post("")
    async def make_reset_link(who: Who, given: ResetIn) -> ResetOut:
        """A link that is good once, for a day, and ends all sessions of the account."""
        found = await reset_link(who, given.email, given.second_factor)
        if isinstance(found, Refusal):
            raise refused(found)
        return ResetOut(url=found)

    return routes
