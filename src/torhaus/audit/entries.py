"""Lines of the journal: made, read, and held against the line before."""

import re
from datetime import UTC, datetime

import msgspec

from torhaus.audit.signing import AuditKey, SignatureError, digest, opened
from torhaus.model.evidence import Event, JournalEntry

_decode = msgspec.json.Decoder(JournalEntry).decode
_UNFIT = re.compile(r"[^a-z0-9-]+")


def moment(now: float) -> str:
    """Unix seconds as records have it: `2025-10-20T14:23:11.234Z`."""
    at = datetime.fromtimestamp(now, UTC)
    return f"{at:%Y-%m-%dT%H:%M:%S}.{at.microsecond // 1000:03}Z"


def node_name(host: str, key: AuditKey) -> str:
    """`gate-1-3f9ac1`: the host, and which installation on it."""
    name = _UNFIT.sub("-", host.lower().partition(".")[0]).strip("-")[:32]
    return f"{name or 'gate'}-{key.id[:6]}"


class Link(msgspec.Struct, frozen=True):
    """What the next line has to go on from: number and digest of the newest one."""

    number: int
    digest: str


START = Link(0, "")


def next_line(link: Link, event: Event, at: str, node: str, key: AuditKey) -> bytes:
    entry = JournalEntry(
        number=link.number + 1, at=at, node=node, previous=link.digest, event=event
    )
    return key.signed(msgspec.json.encode(entry))


def read(line: bytes) -> JournalEntry:
    """The entry in a whole line, whoever signed it. Raises SignatureError."""
    try:
        return _decode(opened(line).entry)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise SignatureError("it is no entry of this version's journal") from error


def linked(entry: JournalEntry, link: Link) -> bool:
    """Whether this line comes right after that one."""
    return entry.number == link.number + 1 and entry.previous == link.digest


def after(line: bytes, number: int) -> Link:
    return Link(number, digest(line))
