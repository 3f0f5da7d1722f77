"""The shape of `temporary_access`, and the days and moments it is written in."""

from typing import Annotated, Literal

from pydantic import AfterValidator, WithJsonSchema

from torhaus.config.access import RoleName
from torhaus.config.addresses import Email
from torhaus.config.amounts import Seconds, between, moment
from torhaus.config.shape import Shape


def _day(value: str) -> str:
    moment(value)
    return value


Day = Annotated[
    str,
    AfterValidator(_day),
    WithJsonSchema({"type": "string", "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}|\$\{"}),
]


class TemporaryAccess(Shape):
    """A role for a while."""

    user: Email
    """Who gets it; a user, or somebody who is nothing else."""
    role: RoleName
    """Which role."""
    valid_from: Day | None = None
    """The first day, from 00:00, or a moment; without it, at once."""
    valid_until: Day
    """The last day, until 24:00, or the first moment without it."""
    notify_before_expiry: Annotated[Seconds, between(60, 31536000, "between 1m and 1y")] | None = (
        None
    )
    """How long before the end user and owner are told, once, as 7d."""
    mode: Literal["add", "replace"] = "add"
    """add: besides the user's own roles; replace: instead of them, while it lasts."""
