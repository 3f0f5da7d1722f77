"""Audit records as OpenTelemetry log records, in the JSON form of OTLP 1.x. Pure."""

import re
from calendar import timegm
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec

from torhaus.model.shipping import Parcel, PartlyError

_SEVERITY = {
    "success": (9, "INFO"),
    "started": (9, "INFO"),
    "pending": (10, "INFO2"),
    "limited": (10, "INFO2"),
    "cancelled": (10, "INFO2"),
    "denied": (13, "WARN"),
    "error": (17, "ERROR"),
    "interrupted": (17, "ERROR"),
}
_OTHER = (9, "INFO")
_TRACE = re.compile(r"[0-9a-f]{32}")
SCOPE = "torhaus.audit"


def export(batch: Sequence[Parcel], version: str, node: str, now: float) -> bytes:
    """The body of one export request (`ExportLogsServiceRequest`)."""
    observed = str(int(now * 1000) * 1_000_000)
    resource = [
        _pair("service.name", "torhaus"),
        _pair("service.version", version),
        _pair("host.name", node),
    ]
    logs = {
        "scope": {"name": SCOPE, "version": version},
        "logRecords": [_log_record(each, observed) for each in batch],
    }
    whole = {"resourceLogs": [{"resource": {"attributes": resource}, "scopeLogs": [logs]}]}
    return msgspec.json.encode(whole)


def _log_record(parcel: Parcel, observed: str) -> dict[str, Any]:
    record = parcel.record
    number, text = _SEVERITY.get(record.result.status, _OTHER)
    trace = {"traceId": record.call.trace} if _TRACE.fullmatch(record.call.trace) else {}
    return {
        "timeUnixNano": _nanoseconds(record.timestamp) or observed,
        "observedTimeUnixNano": observed,
        "severityNumber": number,
        "severityText": text,
        "eventName": "torhaus.audit.record",
        "body": {"stringValue": parcel.line.decode("utf-8", "replace")},
        "attributes": _attributes(parcel),
        **trace,
    }


def _attributes(parcel: Parcel) -> list[dict[str, Any]]:
    """Names of the semantic conventions where they have one; a `torhaus.` name otherwise."""
    record, call = parcel.record, parcel.record.call
    roles = [{"stringValue": each} for each in record.user.role.split(",") if each]
    facts: dict[str, Any] = {
        "log.record.uid": parcel.id,
        "user.email": record.user.email,
        "client.address": record.user.ip,
        "mcp.protocol.version": call.protocol,
        "user_agent.original": call.client,
        "torhaus.request.id": record.request_id,
        "torhaus.request.phase": record.phase,
        "torhaus.server": record.mcp_server,
        "torhaus.operation": record.operation,
        "torhaus.status": record.result.status,
        "torhaus.cached": record.result.cached,
        "torhaus.duration_ms": float(record.result.duration_ms),
        "torhaus.allowed": record.access_control.allowed,
        "torhaus.policy": record.access_control.policy_applied,
        "torhaus.reason": record.access_control.reason,
        "torhaus.credential": record.credential,
    }
    pairs = [_pair(name, value) for name, value in facts.items() if value != ""]
    return [*pairs, {"key": "user.roles", "value": {"arrayValue": {"values": roles}}}]


def _pair(key: str, value: str | float) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"key": key, "value": {"boolValue": value}}
    if isinstance(value, float):
        return {"key": key, "value": {"doubleValue": value}}
    return {"key": key, "value": {"stringValue": value}}


def _nanoseconds(timestamp: str) -> str:
    """Exactly, in integers; a 64-bit number is text in this form of JSON."""
    try:
        moment = datetime.fromisoformat(timestamp)
    except ValueError:
        return ""
    whole = timegm(moment.utctimetuple())
    return str(whole * 1_000_000_000 + moment.microsecond * 1000)


class _Partial(msgspec.Struct, rename="camel"):
    rejected_log_records: int | str = 0
    error_message: str = ""


class _Answer(msgspec.Struct, rename="camel"):
    partial_success: _Partial | None = None


def look(answer: bytes, sent: int) -> None:
    """What the answer to a request that went well says. Raises PartlyError.

    A receiver that took only some does not say which, and the protocol forbids to send any of
    them again: all are set aside, with what it said.
    """
    try:
        partial = msgspec.json.decode(answer, type=_Answer).partial_success if answer else None
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return  # a proxy's words; the status said that it was taken
    lost = 0 if partial is None else _whole(partial.rejected_log_records)
    if partial is not None and lost > 0:
        why = f"the receiver refused {lost} of {sent} records: {partial.error_message}"
        raise PartlyError(dict.fromkeys(range(sent), why))


def _whole(number: int | str) -> int:
    try:
        return int(number)
    except ValueError:
        return 0
