"""The shape of `rotation`: how old stored credentials for servers may be."""

from typing import Annotated, Self

from pydantic import model_validator

from torhaus.config.amounts import Seconds, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.model.vault import Rotation

Age = Annotated[Seconds, between(3600, 10 * 31536000, "between 1h and 10y")]


class RotationSpec(Shape):
    """How old credentials in the vault may be. Those of the file are not watched."""

    warn: Age = 80 * 86400.0
    """From this age on, administrators of the server are told."""
    limit: Age = 90 * 86400.0
    """The age that policy allows."""
    enforce: bool = False
    """true: a credential older than limit is not used any more."""
    grace: Annotated[Seconds, between(0, 31536000, "at most 1y")] = 7 * 86400.0
    """So long after a rotation the former credential is tried where the new one is refused."""

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.warn > self.limit:
            raise FaultError("warn is later than limit", "make warn the shorter one")
        return self

    def rotation(self) -> Rotation:
        return Rotation(warn=self.warn, limit=self.limit, enforce=self.enforce, grace=self.grace)
