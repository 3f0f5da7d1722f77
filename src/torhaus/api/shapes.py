"""What the API takes and gives, as JSON."""

import json
from datetime import UTC, datetime
from typing import Annotated, Any, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from torhaus.admin.views import View
from torhaus.audit.shape import timestamp
from torhaus.model.approval import Approval, State
from torhaus.model.grant import AccessRequest, Asked, Grant, Granted

Comment = Annotated[str, Field(max_length=1000, description="For the requester and the record.")]


class Taken(BaseModel):
    """What comes in: no unknown keys."""

    model_config = ConfigDict(extra="forbid")


class Given(BaseModel):
    """What goes out."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Decision(Taken):
    """A decision about a call."""

    comment: Comment = ""


class Wish(Taken):
    """A request for a role for a while."""

    role: Annotated[str, Field(max_length=128, description="The role's name.")]
    seconds: Annotated[
        float, Field(ge=60, le=90 * 86400, allow_inf_nan=False, description="For how long.")
    ]
    reason: Annotated[str, Field(max_length=1000, description="For whoever decides.")] = ""


class AccessDecision(Taken):
    """A decision about a request for access."""

    comment: Comment = ""
    until: Annotated[
        AwareDatetime | None,
        Field(description="The end, with a time zone; without it, as long as was asked for."),
    ] = None

    def end(self) -> float | None:
        return None if self.until is None else self.until.astimezone(UTC).timestamp()


class ApprovalOut(Given):
    """A request for approval of one call."""

    id: str
    state: State
    server: str
    tool: str
    arguments: Annotated[Any, Field(description="The call's arguments; secrets are masked.")]
    policy: Annotated[str, Field(description="What asks for approval.")]
    reason: str
    requester: str
    created: str
    expires: str
    decided_by: str | None
    decided_at: str | None
    comment: str
    can_decide: Annotated[bool, Field(description="Whether you may decide it now.")]

    @classmethod
    def of(cls, approval: Approval, view: View) -> Self:
        wanted = approval.wanted
        open_now = approval.state is State.PENDING and approval.expires > view.now
        return cls(
            id=approval.id,
            state=approval.state,
            server=wanted.server,
            tool=wanted.tool,
            arguments=_value(wanted.arguments),
            policy=wanted.policy,
            reason=wanted.reason,
            requester=wanted.email,
            created=timestamp(approval.created),
            expires=timestamp(approval.expires),
            decided_by=approval.decided_by,
            decided_at=end_of(approval.decided_at),
            comment=approval.comment,
            can_decide=open_now and view.can_decide(approval),
        )


class RequestOut(Given):
    """A request for access."""

    id: str
    state: Asked
    role: str
    requester: str
    reason: str
    seconds: float
    created: str
    expires: str
    decided_by: str | None
    decided_at: str | None
    comment: str
    grant: str | None
    can_decide: Annotated[bool, Field(description="Whether you may grant it now.")]

    @classmethod
    def of(cls, request: AccessRequest, view: View) -> Self:
        open_now = request.state is Asked.PENDING and request.expires > view.now
        return cls(
            id=request.id,
            state=request.state,
            role=request.role,
            requester=request.email,
            reason=request.reason,
            seconds=request.seconds,
            created=timestamp(request.created),
            expires=timestamp(request.expires),
            decided_by=request.decided_by,
            decided_at=end_of(request.decided_at),
            comment=request.comment,
            grant=request.grant,
            can_decide=open_now and view.can_grant(request),
        )


class GrantOut(Given):
    """Temporary access. `source`: `file` or `database`; only the latter can be revoked here."""

    id: str
    source: str
    user: str
    role: str
    mode: Annotated[str, Field(description="`add`, or `replace` the user's own roles.")]
    begins: str | None
    ends: str | None
    in_force: bool
    granted_by: str | None = None
    revoked_by: str | None = None
    revoked_at: str | None = None

    @classmethod
    def of(cls, granted: Granted, now: float) -> Self:
        grant = granted.grant
        return cls(
            **_grant(grant, "database"),
            in_force=granted.revoked_at is None and grant.begins <= now < grant.ends,
            granted_by=granted.granted_by,
            revoked_by=granted.revoked_by,
            revoked_at=end_of(granted.revoked_at),
        )

    @classmethod
    def of_file(cls, grant: Grant, now: float) -> Self:
        return cls(**_grant(grant, "file"), in_force=grant.begins <= now < grant.ends)


class Me(Given):
    """Who you are to the gateway."""

    id: str
    email: str
    roles: list[str]
    groups: list[str]
    expires: Annotated[str | None, Field(description="When your access ends; null for never.")]
    grants: Annotated[list[GrantOut], Field(description="Your temporary access, now and later.")]


def _grant(grant: Grant, source: str) -> dict[str, Any]:
    return {
        "id": grant.id,
        "source": source,
        "user": grant.user,
        "role": grant.role,
        "mode": "replace" if grant.replace else "add",
        "begins": end_of(grant.begins),
        "ends": end_of(grant.ends),
    }


def end_of(at: float | None) -> str | None:
    """None for never, and for the beginning of time."""
    if at is None or not abs(at) < _EVER:
        return None
    return timestamp(at)


_EVER = datetime(9999, 1, 1, tzinfo=UTC).timestamp()


def _value(text: str) -> Any:
    """JSON as it was sent; text that is none stays text."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text
