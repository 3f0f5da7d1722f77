"""Audit records as syslog messages: RFC 5424, with the facts as structured data. Pure."""

import json

from torhaus.model.record import Record
from torhaus.model.shipping import Parcel

SD_ID = "torhaus@32473"
"""32473 is the enterprise number that RFC 5612 sets apart for those who have none."""

_SEVERITY = {
    "success": 6,
    "started": 6,
    "pending": 5,
    "limited": 5,
    "cancelled": 5,
    "denied": 4,
    "error": 3,
    "interrupted": 3,
}
_NOTICE = 5


def message(parcel: Parcel, facility: int, host: str, process: str) -> bytes:
    """One message, without framing: its text is the record, in ASCII.

    UTF-8 would need a byte order mark (RFC 5424 section 6.4), which parsers of JSON refuse.
    """
    record = parcel.record
    priority = facility * 8 + _SEVERITY.get(record.result.status, _NOTICE)
    kind = record.phase or "record"
    head = f"<{priority}>1 {record.timestamp} {host} torhaus {process} {_word(kind, 32)}"
    return f"{head} [{SD_ID}{_parameters(parcel)}] ".encode() + _ascii(parcel.line)


def _ascii(line: bytes) -> bytes:
    r"""The same JSON: outside of ASCII there are strings only, and these can say `\u00e4`."""
    if line.isascii():
        return line
    text = line.decode("utf-8", "replace")
    return "".join(c if c.isascii() else json.dumps(c)[1:-1] for c in text).encode("ascii")


def _parameters(parcel: Parcel) -> str:
    pairs = {**_facts(parcel.record), "source": parcel.source, "line": str(parcel.number)}
    return "".join(f' {name}="{_value(value)}"' for name, value in pairs.items())


def _facts(record: Record) -> dict[str, str]:
    return {
        "request_id": record.request_id,
        "user": record.user.email,
        "role": record.user.role,
        "ip": record.user.ip,
        **({"credential": record.credential} if record.credential else {}),
        "server": record.mcp_server,
        "operation": record.operation,
        "status": record.result.status,
        "allowed": "true" if record.access_control.allowed else "false",
        "policy": record.access_control.policy_applied,
    }


def _value(text: str) -> str:
    r"""Escaped as RFC 5424 section 6.3.3 says; what a terminal would act on becomes `?`."""
    plain = text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)
    return plain.replace("\\", "\\\\").replace('"', '\\"').replace("]", "\\]")


def _word(text: str, most: int) -> str:
    """Printable ASCII without blanks, as names in the head are; `-` where nothing is left."""
    return "".join(c for c in text if "!" <= c <= "~")[:most] or "-"


def host_name(name: str) -> str:
    return _word(name, 255)


def counted(message: bytes) -> bytes:
    """With its length before it, as TCP and TLS carry it (RFC 6587 section 3.4.1, RFC 5425)."""
    return b"%d %s" % (len(message), message)
