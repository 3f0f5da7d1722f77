"""The shape of `audit_logs`: how the record of every call is kept."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from torhaus.config.access import Short
from torhaus.config.amounts import Octets, Seconds, between
from torhaus.config.problems import FaultError
from torhaus.config.publishing import PublishSpec
from torhaus.config.retaining import AfterRetention, RetentionSpec
from torhaus.config.shape import Shape
from torhaus.config.sinks import Sinks, sinks
from torhaus.config.texts import Line
from torhaus.config.tree import Source
from torhaus.model.auditing import MAX_PARAMETERS, AuditSettings

HowMuch = Literal["full", "selectors", "names", "none"]
_WORDS = Short({"enum": ["full", "selectors", "names", "none"]})


MAX_SQL = 16 * 1024


def _query_name(value: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9-]{0,62}", value) is None:
        raise FaultError("this is not a question's name", "use a-z, 0-9 and -, a letter first")
    return value


def _query(value: str) -> str:
    if not value.strip():
        raise FaultError("the question is empty", "write a SELECT, or remove the key")
    if len(value) > MAX_SQL:
        raise FaultError("this is no question", f"write a SELECT of at most {MAX_SQL} characters")
    return value


QueryName = Annotated[str, AfterValidator(_query_name)]
QuerySql = Annotated[str, AfterValidator(_query)]


def _for_all(value: object) -> object:
    return {"default": value} if isinstance(value, str) else value


class ServerParameters(Shape):
    """What records of one server's calls hold of arguments."""

    default: HowMuch | None = None
    """Of tools that `tools` does not name."""
    tools: dict[Line, HowMuch] = Field(default_factory=dict)
    """By tool."""


class Parameters(Shape):
    """What records hold of arguments."""

    default: HowMuch = "full"
    """full: all; selectors: those that say what a call is about, such as owner, repo, project, path
    or channel; names: their names; none: nothing."""
    servers: dict[str, Annotated[ServerParameters, BeforeValidator(_for_all), _WORDS]] = Field(
        default_factory=dict
    )
    """By server: one of the same words, or a block with tools."""


class Segments(Shape):
    """When a file of records is sealed and the next one begins."""

    size: Annotated[Octets, between(1 << 20, 1 << 30, "between 1MiB and 1GiB")] = 64 << 20
    """At this size, in bytes or as 64MiB."""
    age: Annotated[Seconds, between(60, 86400, "between 1m and 1d")] = 3600.0
    """At this age, in seconds or as 1h."""


class AuditLogs(Shape):
    """The record every call leaves."""

    durability: Literal["strict", "durable", "async"] = "durable"
    """durable: on disk before the answer leaves, and before a call that may change something goes
    to its server; strict: before every call goes there; async: at most flush later. Needs a
    restart."""
    on_failure: Literal["deny", "allow"] = "deny"
    """While records cannot be written: deny refuses calls; allow lets them go on and counts what is
    lost. Needs a restart."""
    flush: Annotated[Seconds, between(0.001, 10, "between 1ms and 10s")] = 0.02
    """How long async records may wait, in seconds or as 20ms. Needs a restart."""
    parameters: Annotated[Parameters, BeforeValidator(_for_all), _WORDS] = Parameters()
    """What records hold of calls' arguments: full, selectors, names, none, or a block by server."""
    max_parameters: Annotated[Octets, between(256, 1 << 20, "between 256 bytes and 1MiB")] = (
        MAX_PARAMETERS
    )
    """Arguments longer than this are told by size and SHA-256, in bytes or as 16KiB."""
    segment: Segments = Segments()
    """Files of records: when one is sealed. Needs a restart."""
    publish: tuple[PublishSpec, ...] = ()
    """Who keeps heads of the journal, so that its end cannot be cut off. Needs a restart."""
    queries: dict[QueryName, QuerySql] = Field(default_factory=dict)
    """Questions of your own for torhaus audit query --saved NAME: one SELECT each, by name."""
    retention: RetentionSpec | None = None
    """How long records are hot, warm and cold; without it they stay hot for ever. Needs a
    restart."""
    after_retention: AfterRetention = None
    """delete or archive, as text or under action; without it records stay. Needs a restart."""
    pseudonyms: Literal["off", "on"] = "off"
    """on: records hold pseudonyms instead of e-mail and network addresses, and a person can be
    forgotten (torhaus audit erase). Needs a restart."""
    sinks: Sinks = ()
    """Where else records go, besides the log. Needs a restart."""
    sink_patience: Annotated[Seconds, between(0, 31_536_000, "between 0 and 365d")] = 604_800.0
    """How long records that a sink has not taken stay in segments, where it reads them. Needs a
    restart."""


def audit_settings(source: Source, file: AuditLogs) -> AuditSettings:
    """Mistakes go to `source.problems`."""
    return AuditSettings(
        durability=file.durability,
        flush=file.flush,
        on_failure=file.on_failure,
        pseudonyms=file.pseudonyms == "on",
        sinks=sinks(source, file.sinks),
        sink_patience=file.sink_patience,
        segment_size=file.segment.size,
        segment_age=file.segment.age,
        publish=tuple(each.target() for each in file.publish),
    )
