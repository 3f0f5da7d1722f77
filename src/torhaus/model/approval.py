"""Asking somebody to agree to one call, and what becomes of it."""

from enum import StrEnum

import msgspec


class ApprovalSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The file's `approvals` block, in seconds.

    `hold`: how long a caller who cannot be asked is kept waiting; `expires`: how long a request
    can be decided and an approval used.
    """

    hold: float = 25.0
    expires: float = 900.0


class State(StrEnum):
    """PENDING and APPROVED can still change; the others are final."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    USED = "used"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """A call that needs approval.

    `digest`: SHA-256 over the canonical form of user, server, tool
    and exact arguments. `arguments`: JSON text for the approver, already redacted.

    `requester` is a principal's id. `approvers`: per policy, who may decide it (roles, groups or
    e-mail addresses); an empty tuple means whoever may administer the server. `shown`: what records
    call the credential that the call came with; it is not kept.
    """

    digest: bytes
    requester: str
    email: str
    server: str
    tool: str
    arguments: str
    policy: str
    reason: str
    policy_version: str
    approvers: tuple[tuple[str, ...], ...] = ()
    shown: str = ""


class Approval(msgspec.Struct, frozen=True, kw_only=True):
    """One request for approval. Times in Unix seconds; `expires` ends both waiting and use."""

    id: str
    state: State
    wanted: Wanted
    created: float
    expires: float
    decided_by: str | None = None
    decided_at: float | None = None
    comment: str = ""
