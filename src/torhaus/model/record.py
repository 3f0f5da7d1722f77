"""One line of the audit log, in the shape the product text prints."""

import msgspec


class RecordUser(msgspec.Struct, frozen=True, gc=False):
    email: str
    role: str
    ip: str


class RecordResult(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status`: success, error, denied, pending, limited or cancelled.

    `items`: None where unknown. `redacted`: how many parts of the call were masked.
    """

    status: str
    items: int | None
    cached: bool
    duration_ms: float
    redacted: int = 0


class RecordAccess(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`approval`: the id of the request for approval that the call needed or used."""

    policy_applied: str
    allowed: bool
    reason: str
    approval: str | None = None


class Record(msgspec.Struct, frozen=True, gc=False):
    """Field order is the order on disk. `parameters` is JSON text, spliced in as it is."""

    timestamp: str
    request_id: str
    user: RecordUser
    mcp_server: str
    operation: str
    parameters: msgspec.Raw
    result: RecordResult
    access_control: RecordAccess
