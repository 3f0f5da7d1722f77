"""Audit records as JSON lines, whatever is in them."""

import msgspec

from torhaus.model.record import Record, RecordAccess, RecordCall, RecordResult, RecordUser

_NEWLINE = 0x0A
_UNREADABLE = msgspec.Raw(b'{"_invalid":true}')
_encoder = msgspec.json.Encoder()


def add_line(lines: bytearray, record: Record) -> None:
    """Adds exactly one line. A record that would spoil its line is written cleaned."""
    start = len(lines)
    try:
        _encoder.encode_into(record, lines, -1)
        spoiled = lines.find(_NEWLINE, start) >= 0
    except ValueError:  # UnicodeEncodeError: half of a surrogate pair
        spoiled = True
    except BaseException:
        del lines[start:]  # the encoder leaves half a line behind, which would spoil the next
        raise
    if spoiled:
        lines[start:] = _encoder.encode(_cleaned(record))
    lines.append(_NEWLINE)


def _cleaned(record: Record) -> Record:
    user, result, access = record.user, record.result, record.access_control
    about = record.call
    return Record(
        _text(record.timestamp),
        _text(record.request_id),
        RecordUser(_text(user.email), _text(user.role), _text(user.ip)),
        _text(record.mcp_server),
        _text(record.operation),
        _UNREADABLE,
        RecordResult(
            _text(result.status),
            result.items,
            result.cached,
            result.duration_ms,
            result.redacted,
        ),
        RecordAccess(
            _text(access.policy_applied), access.allowed, _text(access.reason), access.approval
        ),
        RecordCall(
            _text(about.client),
            _text(about.protocol),
            about.sent,
            about.received,
            about.cost,
            _text(about.trace),
        ),
        _text(record.credential),
        record.phase,
    )


def _text(value: str) -> str:
    return value.encode("utf-8", "replace").decode("utf-8")
