"""The page `/status`: what works, for the people who wonder."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from torhaus import __version__
from torhaus.model.health import Health
from torhaus.model.publishing import NO_EVIDENCE, Evidence
from torhaus.model.stops import StopKind
from torhaus.policy.stops import Shown
from torhaus.web.translations import marked


class ServerState(msgspec.Struct, frozen=True):
    """`state`: a `Condition`, maybe with `: <sentence>` behind it. Moments in Unix seconds."""

    name: str
    state: str
    since: float | None = None
    next_try: float | None = None

    @classmethod
    def of(cls, name: str, health: Health) -> "ServerState":
        return cls(name, health.state, health.since, health.next_try)

    @property
    def word(self) -> str:
        return self.state.partition(":")[0]

    @property
    def well(self) -> bool:
        return self.word in WELL


class Database(StrEnum):
    """How the state database is. `CLOSED`: keys and tokens of it are refused, as it is silent."""

    WELL = "well"
    LOST = "lost"
    CLOSED = "closed"


WORDS = {
    "ready": ("allow", marked("working")),
    "idle": ("", marked("not used yet")),
    "starting": ("", marked("starting")),
    "slow": ("approval", marked("slow")),
    "failing": ("approval", marked("its last calls failed")),
    "credential refused": ("deny", marked("refuses the credential of the gateway")),
}
"""State -> class of the badge, and what people read. Every other state is trouble."""
STOPPED = {
    StopKind.USER: marked("Person"),
    StopKind.KEY: marked("Key"),
    StopKind.SERVER: marked("Server"),
    StopKind.TOOL: marked("Tool"),
}
UNREACHED = ("deny", marked("cannot be reached"))
WELL = frozenset(("ready", "idle", "starting"))
SHAKY = frozenset(("slow", "failing"))


def context(  # noqa: PLR0913 - one argument for each thing it shows
    states: Sequence[ServerState],
    *,
    audit_healthy: bool,
    config_refused: bool,
    started: str,
    shared_lost: bool = False,
    audit_lost: int | None = None,
    late_sinks: Mapping[str, str] = MappingProxyType({}),
    evidence: Evidence = NO_EVIDENCE,
    files_wait: bool = False,
    confined: bool = True,
    in_clear: bool = False,
    governed: bool = True,
    overdue: bool = False,
    database: Database = Database.WELL,
    stops: Sequence[Shown] = (),
) -> dict[str, Any]:
    """Of `status.html`. Why a server is down is for administrators and stays in the log.

    `audit_lost`: calls without a record; None where there are no calls without one. Where heads of
    the audit log go is for administrators; whether somebody keeps them is for everyone.
    """
    down = sum(1 for each in states if not each.well and each.word not in SHAKY)
    shaky = sum(1 for each in states if not each.well)
    refused = not audit_healthy and audit_lost is None
    return {
        "version": __version__,
        "started": started,
        "headline": _headline(down, shaky, refused=refused, closed=database is Database.CLOSED),
        "database": database,
        "stops": [{"word": STOPPED[each.kind], "stop": each} for each in stops],
        "down": down,
        "shaky": shaky,
        "config_refused": config_refused,
        "shared_lost": shared_lost,
        "audit_lost": audit_lost,
        "late_sinks": late_sinks,
        "evidence": evidence,
        "silent": sum(1 for each in evidence.published if each.trouble is not None),
        "files_wait": files_wait,
        "confined": confined,
        "in_clear": in_clear,
        "governed": governed,
        "overdue": overdue,
        "servers": [_row(each) for each in states],
    }


def _headline(down: int, shaky: int, *, refused: bool, closed: bool) -> str:
    """The worst there is to say."""
    if refused:
        return "refused"
    if closed:
        return "closed"
    if down:
        return "down"
    return "shaky" if shaky else ""


def _clock(at: float | None) -> str:
    return "" if at is None else f"{datetime.fromtimestamp(at, UTC):%H:%M:%S} UTC"


def _row(server: ServerState) -> dict[str, str]:
    kind, text = WORDS.get(server.word, UNREACHED)
    return {
        "name": server.name,
        "kind": kind,
        "text": text,
        "since": "" if server.well else _clock(server.since),
        "next_try": _clock(server.next_try),
    }
