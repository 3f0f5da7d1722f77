"""What can be done through the one door, as data, and what comes of it."""

from typing import Any

import msgspec

from torhaus.audit.acts import Act
from torhaus.model.announcement import Announcement
from torhaus.model.people import Principal
from torhaus.model.rules import Rules


class DecideApproval(msgspec.Struct, frozen=True):
    """Agree to a call, or not."""

    id: str
    approve: bool
    comment: str = ""


class CancelApproval(msgspec.Struct, frozen=True):
    """The requester withdraws, or an administrator of the server takes an approval back."""

    id: str


class RequestAccess(msgspec.Struct, frozen=True):
    """Ask for a role for `seconds`, counted from the decision."""

    role: str
    seconds: float
    reason: str = ""


class DecideAccess(msgspec.Struct, frozen=True):
    """Grant what was asked for, or not. `until`: Unix seconds; None for as long as was asked."""

    id: str
    approve: bool
    until: float | None = None
    comment: str = ""


class RevokeGrant(msgspec.Struct, frozen=True):
    """End a grant of the database now."""

    id: str


class Scene(msgspec.Struct, frozen=True):
    """Who acts, under which rules, when. `id`: a fresh one, for what the act makes."""

    actor: Principal
    rules: Rules
    now: float
    id: str


class Refusal(msgspec.Struct, frozen=True):
    """Nothing was changed. `code`: not_found, not_allowed, conflict, invalid or unavailable.

    `reason`: a sentence; `fix`: what to do instead, where something can be done. `act`: what would
    have been recorded.
    """

    code: str
    reason: str
    act: Act
    fix: str = ""


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What an act does, once its transaction is kept. `rule`: what lets the actor do it.

    `result`: the thing as it is now. `approval`: the id of one that waits no longer. `grants`:
    whether the grants in force changed.
    """

    result: Any
    act: Act
    rule: str
    news: tuple[Announcement, ...] = ()
    approval: str | None = None
    grants: bool = False


class Done(msgspec.Struct, frozen=True):
    """`result`: what the act is about, as it is now."""

    result: Any
