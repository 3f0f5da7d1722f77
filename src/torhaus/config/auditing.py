"""The shape of `audit_logs`: how the record of every call is kept."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal

from torhaus.config.amounts import Seconds, between
from torhaus.config.shape import Shape
from torhaus.model.auditing import AuditSettings


class AuditLogs(Shape):
    """The record every call leaves."""

    durability: Literal["durable", "async"] = "durable"
    """durable: on disk before the answer leaves; async: at most flush later. Needs a restart."""
    flush: Annotated[Seconds, between(0.001, 10, "between 1ms and 10s")] = 0.02
    """How long async records may wait, in seconds or as 20ms. Needs a restart."""
    later: ClassVar[Mapping[str, str]] = {
        "retention": "retention of audit records",
        "after_retention": "retention of audit records",
    }


def audit_settings(file: AuditLogs) -> AuditSettings:
    return AuditSettings(durability=file.durability, flush=file.flush)
