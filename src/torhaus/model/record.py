"""One line of the audit log, in the shape the product text prints."""

import msgspec


class RecordUser(msgspec.Struct, frozen=True, gc=False):
    email: str
    role: str
    ip: str


class RecordResult(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """`status`: success, error, denied, pending, limited, cancelled, started or interrupted.

    `started` is an intent's: the call is about to go to its server. `interrupted`: it went, and
    the process died before its end was known; the next start writes that down.
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


class RecordCall(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """What is known of a call besides. What is unknown or zero is left out.

    `client`: the name it gives itself. `protocol`: the revision it speaks, `2025-11-25`.
    `sent`, `received`: octets of the arguments and of the result, as JSON text. `cost`: what the
    call cost, in the configured currency; nothing for an answer from the cache. `trace`: the
    trace id of the caller's `traceparent` (W3C Trace Context), 32 hexadecimal digits.
    """

    client: str = ""
    protocol: str = ""
    sent: int = 0
    received: int = 0
    cost: float = 0.0
    trace: str = ""


NO_CALL = RecordCall()

INTENT, OUTCOME = "intent", "outcome"
"""The phases of a call that leaves two records."""


class Record(msgspec.Struct, frozen=True, gc=False, omit_defaults=True):
    """Field order is the order on disk. `parameters` is JSON text, spliced in as it is.

    `credential`: which one of his the user came with, as lists of keys and sessions call it:
    `key:<id>`, `token:<id of what the client was let in for>`, `session:<id>` (a browser's) or
    `file-key:<number>` (which of his `api_keys`). Empty where there is none, and in records from
    before there was this column.

    `phase`: empty for a record that stands alone. A call that may change something has two with
    one `request_id`: an `intent`, durable before the call goes to its server, and an `outcome`.
    """

    timestamp: str
    request_id: str
    user: RecordUser
    mcp_server: str
    operation: str
    parameters: msgspec.Raw
    result: RecordResult
    access_control: RecordAccess
    call: RecordCall = NO_CALL
    credential: str = ""
    phase: str = ""
