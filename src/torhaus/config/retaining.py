"""The shapes of `audit_logs.retention` and `after_retention`: how long records stay where."""

from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, model_validator

from torhaus.config.access import Short
from torhaus.config.amounts import Seconds, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.model.keeping import After, Retention

_DAY = 86400
_BOUNDS = "between 1d and 100y"
Age = Annotated[Seconds, between(_DAY, 100 * 365 * _DAY, _BOUNDS)]


class RetentionSpec(Shape):
    """Limits of a record's age. What is older than the last one given is at its end."""

    hot_storage: Age | None = None
    """Until this age on the gateway's disk."""
    warm_storage: Age | None = None
    """Until this age in warm storage: cheaper, and queried like hot."""
    cold_storage: Age | None = None
    """Until this age in cold storage: cheapest; may need torhaus audit restore."""

    @model_validator(mode="after")
    def _ascends(self) -> Self:
        if self.hot_storage is None:
            raise FaultError(
                "it does not say how long records are hot", "add hot_storage, such as 30d"
            )
        known = [
            (name, age)
            for name in ("hot_storage", "warm_storage", "cold_storage")
            if (age := getattr(self, name)) is not None
        ]
        for (before, low), (name, high) in pairwise(known):
            if high <= low:
                raise FaultError(
                    f"{name} is not longer than {before}",
                    "these are limits of age, counted from the record: hot 30d, warm 180d, cold 2y",
                )
        return self


class AfterSpec(Shape):
    """What becomes of records at the end of their retention."""

    action: Literal["delete", "archive", "archive_to_tape"]
    """delete, with a signed tombstone; or archive: moved out of every query, and kept."""


def short(value: object) -> object:
    """`after_retention: delete`."""
    return {"action": value} if isinstance(value, str) else value


_ACTIONS = ("delete", "archive", "archive_to_tape")
AfterRetention = Annotated[AfterSpec | None, BeforeValidator(short), Short({"enum": [*_ACTIONS]})]


def retention(spec: RetentionSpec | None, after: AfterSpec | None) -> Retention:
    """Without `after`, records stay: nothing is deleted that nobody said should be."""
    if spec is None:
        return Retention()
    words = {"delete": After.DELETE, "archive": After.ARCHIVE, "archive_to_tape": After.ARCHIVE}
    return Retention(
        hot=spec.hot_storage,
        warm=spec.warm_storage,
        cold=spec.cold_storage,
        after=After.KEEP if after is None else words[after.action],
    )
