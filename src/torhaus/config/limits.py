"""The shapes of `limits` and `plans`: how much may be called."""

from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from torhaus.config.access import Names
from torhaus.config.amounts import Seconds, Whole, between, whole
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line

Calls = Annotated[Whole, between(1, 1_000_000_000, "at least 1")]
Span = Annotated[Seconds, between(0.001, 31536000, "between 1ms and 1y")]
Count = Literal["upstream", "all"]


def _some(value: object) -> int | None:
    if isinstance(value, str) and value in ("unlimited", "unlimitiert"):
        return None
    number = whole(value)
    if not 1 <= number <= 1_000_000_000_000:
        raise FaultError("the value is out of range", "choose at least 1, or unlimited")
    return number


Some = Annotated[
    int | None,
    BeforeValidator(_some),
    WithJsonSchema({"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string"}]}),
]


class LimitSpec(Shape):
    """One budget of calls. All that a call draws on are taken together, or none."""

    name: Line
    """For people; callers read it when the budget is used up."""
    per: Literal["user", "role", "group", "key", "total"] = "user"
    """Who shares it: each user, each role, each group, each key, or all together."""
    requests: Calls | None = None
    """How many calls in any rolling window; or use concurrent."""
    window: Span | None = None
    """In how much time, in seconds or as 1m, 1h."""
    burst: Calls | None = None
    """Spreads requests evenly over the window, with at most so many at once."""
    concurrent: Calls | None = None
    """How many calls at the same time."""
    lease: Annotated[Seconds, between(1, 86400, "between 1s and 1d")] = 900.0
    """For concurrent: a call nobody hears of again ends after this."""
    servers: Names = ()
    """Only calls of these servers; each together with the others unless `each` says so."""
    tools: Names = ()
    """Only calls of these tools, or globs such as create_*."""
    roles: Names = ()
    """Only callers in one of these roles."""
    groups: Names = ()
    """Only callers in one of these groups."""
    users: Names = ()
    """Only these e-mail addresses."""
    each: Literal["server", "tool"] | None = None
    """server: a budget of its own for each server; tool: for each tool of each server."""
    count: Count = "upstream"
    """upstream: calls that reach the server; all: answers from the cache too."""

    @model_validator(mode="after")
    def _one_kind(self) -> Self:
        if (self.requests is None) == (self.concurrent is None):
            raise FaultError(
                "a limit has requests or concurrent, one of the two", "give exactly one"
            )
        if (self.requests is None) != (self.window is None):
            raise FaultError("requests and window go together", "write requests: 100, window: 1h")
        if self.burst is not None and self.requests is None:
            raise FaultError("burst is for requests", "remove burst")
        return self


class PlanSpec(Shape):
    """How much may be called in a calendar month, by how many people."""

    calls_per_month: Some = None
    """A number, or unlimited."""
    users: Some = None
    """How many different people, or unlimited."""
    groups: Names = ()
    """Whose members draw on it together; without it, everybody."""
    count: Count = "upstream"
    """upstream: calls that reach a server; all: answers from the cache too."""
    description: Line | None = None
    """For people."""

    @model_validator(mode="after")
    def _says(self) -> Self:
        if not self.model_fields_set & {"calls_per_month", "users"}:
            raise FaultError("this plan limits nothing", "add calls_per_month or users")
        return self
