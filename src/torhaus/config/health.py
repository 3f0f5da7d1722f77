"""The shape of `mcpServers.NAME.health`: when it counts as down, and how it comes back."""

from typing import Annotated, Any, Self

from pydantic import BeforeValidator, WithJsonSchema, model_validator

from torhaus.config.amounts import Seconds, Whole, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.model.health import Upkeep


def _off(value: object) -> object:
    """YAML reads `off` as false."""
    return 0 if value is False or value == "off" else value


_OR_OFF: dict[str, Any] = {"anyOf": [{"type": "string"}, {"type": "number"}, {"const": False}]}
SecondsOrOff = Annotated[Seconds, BeforeValidator(_off), WithJsonSchema(_OR_OFF)]
CountOrOff = Annotated[Whole, BeforeValidator(_off), WithJsonSchema(_OR_OFF)]


class Health(Shape):
    """When a server counts as down, and how it is looked after."""

    failures: Annotated[CountOrOff, between(0, 1000, "off, or between 1 and 1000")] = 5
    """After this many failures in a row calls are refused at once, until it answers again; or off.

    Not counted: errors of tools, answers about one call (HTTP 4xx), callers who hang up.
    """
    wait: Annotated[Seconds, between(0.1, 3600, "between 100ms and 1h")] = 1.0
    """How long it is then left alone; doubled from try to try."""
    longest_wait: Annotated[Seconds, between(0.1, 86400, "between 100ms and 24h")] = 60.0
    """The longest it is left alone."""
    probe: bool = True
    """Whether a check of the gateway tries a server that is down; else the next call does."""
    interval: Annotated[SecondsOrOff, between(0, 86400, "off, or between 1s and 24h")] = 0.0
    """How often it is checked while it is well: ping, or server/discover. Off unless given."""
    timeout: Annotated[Seconds, between(0.1, 60, "between 100ms and 1m")] = 5.0
    """Longest wait for the answer to a check."""
    slow: Annotated[SecondsOrOff, between(0, 86400, "off, or up to 24h")] = 0.0
    """It counts as slow when 5 of 100 calls take this long or longer. Off unless given."""

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if self.longest_wait < self.wait:
            raise FaultError("longest_wait is shorter than wait", "make it at least as long")
        if 0 < self.interval < 1:
            raise FaultError("interval is too short", "choose off, or at least 1s")
        return self

    def upkeep(self) -> Upkeep:
        return Upkeep(
            failures=self.failures,
            wait=self.wait,
            longest=self.longest_wait,
            probe=self.probe,
            interval=self.interval,
            timeout=self.timeout,
            slow=self.slow,
        )
