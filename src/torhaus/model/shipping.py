"""Audit records on their way to other systems: what is sent, where to, and how it can fail."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import msgspec

from torhaus.model.record import Record
from torhaus.model.secret import Secret
from torhaus.model.tls import Tls


class Parcel(msgspec.Struct, frozen=True, gc=False):
    """One record. `line`: as it stands in its segment, without the line break.

    `source`: the segment's name, or the day file's. `number`: which of its lines, from 1. Both
    together name the record for ever; `request_id` and `phase` name it among duplicates.
    """

    line: bytes
    record: Record
    source: str
    number: int

    @property
    def id(self) -> str:
        return f"{self.source}:{self.number}"


class DeliveryError(Exception):
    """It was not taken, and may be later. `wait`: seconds the receiver wants to be left alone.

    The text of this and of the other errors is a sentence without URLs and secrets.
    """

    def __init__(self, message: str, wait: float | None = None) -> None:
        super().__init__(message)
        self.wait = wait


class RefusedError(Exception):
    """None of it was taken, because of what is in it: the same again will not be either."""


class PartlyError(Exception):
    """Some were taken. By place in the batch: `refused` and why, and those to bring `again`."""

    def __init__(
        self, refused: Mapping[int, str], again: Sequence[int] = (), wait: float | None = None
    ) -> None:
        super().__init__(f"{len(refused)} refused, {len(again)} to be brought again")
        self.refused = refused
        self.again = again
        self.wait = wait


class AuditSink(Protocol):
    """Somewhere audit records go. Called from one thread, which it may block."""

    def deliver(self, batch: Sequence[Parcel]) -> None:
        """Returns when the receiver has them all; a batch may come again, whole or in parts.

        Raises DeliveryError, RefusedError, PartlyError; anything else counts as DeliveryError.
        """
        ...

    def close(self) -> None:
        """Give up connections and files. Never raises."""
        ...


class FileTarget(msgspec.Struct, frozen=True, kw_only=True):
    path: str


class StdoutTarget(msgspec.Struct, frozen=True, kw_only=True):
    """The gateway's standard output."""


class SyslogTarget(msgspec.Struct, frozen=True, kw_only=True):
    """`transport`: udp, tcp or tls. `facility`: 0 to 23."""

    host: str
    port: int
    transport: str = "udp"
    facility: int = 13
    trust: Tls = Tls()


class WebhookTarget(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    secret: Secret
    trust: Tls = Tls()


class OtlpTarget(msgspec.Struct, frozen=True, kw_only=True):
    url: str
    headers: tuple[tuple[str, Secret], ...] = ()
    trust: Tls = Tls()


class SearchTarget(msgspec.Struct, frozen=True, kw_only=True):
    """Elasticsearch or OpenSearch. `authorization`: the header's whole value."""

    url: str
    index: str
    authorization: Secret | None = None
    trust: Tls = Tls()


class PluginTarget(msgspec.Struct, frozen=True, kw_only=True):
    """`entry_point`: its name in the group `torhaus.audit_sinks`."""

    entry_point: str
    options: Mapping[str, Any] = {}


Target = (
    FileTarget
    | StdoutTarget
    | SyslogTarget
    | WebhookTarget
    | OtlpTarget
    | SearchTarget
    | PluginTarget
)


class SinkSettings(msgspec.Struct, frozen=True, kw_only=True):
    """`batch`: records brought at once. `timeout`: seconds for one answer."""

    name: str
    target: Target
    batch: int = 500
    timeout: float = 10.0


class SinkState(msgspec.Struct, frozen=True, kw_only=True):
    """How a sink is doing. Times in Unix seconds.

    `state`: `starting`, `idle`, `delivering`, `failing`, `elsewhere` (another process has it) or
    `stopped`. `error`: the newest one, empty when the newest delivery went well. `behind`:
    records in segments that are not delivered. `oldest`: the time of the first of them, as in
    the record.
    """

    name: str
    state: str
    error: str = ""
    failed_at: float = 0.0
    delivered: int = 0
    failed: int = 0
    refused: int = 0
    behind: int = 0
    oldest: str = ""
