"""Requests and grants for the tests."""

from typing import Any

import msgspec

from torhaus.model.approval import Approval, State, Wanted
from torhaus.model.grant import AccessRequest, Asked, Grant, Granted

NOW = 1_790_000_000.0

WANTED = Wanted(
    digest=b"\x00\xff" * 16,
    requester="alice@example.org",
    email="alice@example.org",
    server="github",
    tool="merge_pull_request",
    arguments='{"owner":"myorg","repo":"api","n":1,"text":"grün "}',
    policy="merges",
    reason="merges need a second person",
    policy_version="v1",
    approvers=(("tech_lead", "bob@example.org"), ()),
)


def wanted(**changes: Any) -> Wanted:
    return msgspec.structs.replace(WANTED, **changes)


def approval(id: str = "a1", **changes: Any) -> Approval:
    made = Approval(
        id=id, state=State.PENDING, wanted=WANTED, created=NOW, expires=NOW + 900, comment=""
    )
    return msgspec.structs.replace(made, **changes)


def approved(id: str = "a1", **changes: Any) -> Approval:
    more = {"state": State.APPROVED, "decided_by": "bob@example.org", "decided_at": NOW + 1}
    return approval(id, **{**more, **changes})


def access_request(id: str = "r1", **changes: Any) -> AccessRequest:
    made = AccessRequest(
        id=id,
        state=Asked.PENDING,
        requester="alice@example.org",
        email="alice@example.org",
        role="tech_lead",
        reason="release",
        seconds=3600.0,
        created=NOW,
        expires=NOW + 86400,
    )
    return msgspec.structs.replace(made, **changes)


def granted(id: str = "g1", **changes: Any) -> Granted:
    more = {"begins": NOW, "ends": NOW + 3600, "notify": 360.0, "replace": True, **changes}
    grant = Grant(id=id, user="alice@example.org", role="tech_lead", **more)
    return Granted(grant=grant, granted_by="bob@example.org", created=NOW)
