"""A role for a while: temporary access, from the file or granted on request."""

from enum import StrEnum

import msgspec


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """`user` is an e-mail address; `begins` and `ends` Unix seconds, half open.

    `replace`: the role stands instead of the user's own roles while it lasts. `notify`: seconds
    before the end at which user and owner are told, once. `id`: the database's, or `file:<line>`.
    """

    id: str
    user: str
    role: str
    begins: float
    ends: float
    replace: bool = False
    notify: float | None = None


class Asked(StrEnum):
    """What became of a request for access. Only PENDING can still change."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class AccessRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody asks for a role for `seconds`, counted from the decision.

    `requester`: a principal's id. `expires` ends the waiting. `grant`: what came of it.
    """

    id: str
    state: Asked
    requester: str
    email: str
    role: str
    reason: str
    seconds: float
    created: float
    expires: float
    decided_by: str | None = None
    decided_at: float | None = None
    comment: str = ""
    grant: str | None = None


class Granted(msgspec.Struct, frozen=True, kw_only=True):
    """A grant of the database and its history. `granted_by` and `revoked_by`: principals' ids."""

    grant: Grant
    granted_by: str
    created: float
    revoked_by: str | None = None
    revoked_at: float | None = None
