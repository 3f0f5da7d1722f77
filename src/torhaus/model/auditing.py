"""How the audit log is kept: what `audit_logs` says, compiled."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from torhaus.model.publishing import HeadTarget
from torhaus.model.shipping import SinkSettings

MAX_PARAMETERS = 16 * 1024
"""Octets of arguments that a record holds where the file says nothing else."""


class Extent(StrEnum):
    """How much of a call's arguments its record holds.

    All; those that say what the call is about; their names; nothing.
    """

    FULL = "full"
    SELECTORS = "selectors"
    NAMES = "names"
    NONE = "none"


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """What records of one server's calls hold. `tools`: normalised tool name -> extent.

    `most`: octets of arguments beyond which a record has their size and digest. `whole`: every
    tool's arguments are kept in full, so nobody need look a tool up.
    """

    default: Extent = Extent.FULL
    tools: Mapping[str, Extent] = {}
    most: int = MAX_PARAMETERS
    whole: bool = True


WHOLE = Recorded()


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is read once, at the start. Times in seconds.

    `durability`: `strict` and `durable` (on disk before the answer leaves; and before the call goes
    to its server, of every call or of those that may change something) or `async` (at most `flush`
    later). `on_failure`: `deny` or `allow`, whether calls go on without records. `pseudonyms`:
    records name nobody; who is meant is kept apart, and can be forgotten. `sink_patience`: how long
    segments are kept for sinks that are behind. `segment_size` (octets), `segment_age`: when the
    next segment begins. `publish`: who keeps the journal's heads.
    """

    durability: str = "durable"
    flush: float = 0.02
    on_failure: str = "deny"
    pseudonyms: bool = False
    sinks: tuple[SinkSettings, ...] = ()
    sink_patience: float = 604_800.0
    segment_size: int = 64 << 20
    segment_age: float = 3600.0
    publish: tuple[HeadTarget, ...] = ()
