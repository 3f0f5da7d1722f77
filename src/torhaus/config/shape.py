"""What every block of the file has in common."""

from collections.abc import Mapping
from typing import ClassVar

from pydantic import BaseModel, ConfigDict


class Shape(BaseModel):
    """A block of keys. Unknown keys are errors; `later`: key -> what it is, for later versions.

    A key that is read and not enforced would be a promise broken in silence, so keys of later
    versions are refused too.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, hide_input_in_errors=True, use_attribute_docstrings=True
    )
    later: ClassVar[Mapping[str, str]] = {}
