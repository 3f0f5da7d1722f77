"""How the audit log is kept: what `audit_logs` says, compiled."""

import msgspec


class AuditSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What is read once, at the start. Times in seconds.

    `durability`: `durable` (on disk before the answer leaves) or `async` (at most `flush` later).
    """

    durability: str = "durable"
    flush: float = 0.02
