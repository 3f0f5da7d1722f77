"""Audit records as JSON lines, whatever is in them."""

from collections.abc import Sequence

import msgspec

from torhaus.model.record import Record, RecordAccess, RecordResult, RecordUser

_CHUNK = 256
"""Records encoded in one go: the interpreter can serve another thread only in between."""

_UNREADABLE = msgspec.Raw(b'{"_invalid":true}')
_encoder = msgspec.json.Encoder()


def lines(records: Sequence[Record]) -> bytes:
    """Exactly one line for each record. A record that spoils its line is written cleaned."""
    return b"".join(
        _encoded(records[start : start + _CHUNK]) for start in range(0, len(records), _CHUNK)
    )


def _encoded(records: Sequence[Record]) -> bytes:
    try:
        text = _encoder.encode_lines(records)
    except ValueError:  # UnicodeEncodeError: half of a surrogate pair
        text = b""
    if text.count(b"\n") == len(records):
        return text
    return b"".join(_alone(record) for record in records)


def _alone(record: Record) -> bytes:
    try:
        line = _encoder.encode(record)
    except ValueError:
        line = b"\n"
    return (_encoder.encode(_cleaned(record)) if b"\n" in line else line) + b"\n"


def _cleaned(record: Record) -> Record:
    user, result, access = record.user, record.result, record.access_control
    return Record(
        _text(record.timestamp),
        _text(record.request_id),
        RecordUser(_text(user.email), _text(user.role), _text(user.ip)),
        _text(record.mcp_server),
        _text(record.operation),
        _UNREADABLE,
        RecordResult(_text(result.status), result.items, result.cached, result.duration_ms),
        RecordAccess(_text(access.policy_applied), access.allowed, _text(access.reason)),
    )


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8")
