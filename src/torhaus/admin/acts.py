"""What can be done through the one door, as data, and what comes of it."""

from typing import Any

import msgspec

from torhaus.audit.acts import Act
from torhaus.model.announcement import Announcement
from torhaus.model.credentials import Credential
from torhaus.model.people import Principal
from torhaus.model.person import Moved, Person
from torhaus.model.rules import Rules
from torhaus.model.stops import Stop


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
    """Nothing was changed: what its work has written is not kept.

    `code`: not_found, not_allowed, conflict, invalid or unavailable. `reason`: a sentence; `fix`:
    what to do instead, where something can be done. `act`: what would have been recorded.
    """

    code: str
    reason: str
    act: Act
    fix: str = ""


class Burnt(msgspec.Struct, frozen=True):
    """A refusal after something was used up that counts once, whatever comes of it.

    What the work has written is kept: a ticket that is over, a code that opens nothing again. A
    work that ends so has written nothing else.
    """

    refusal: Refusal


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """What an act does, once its transaction is kept. `rule`: what lets the actor do it.

    `result`: the thing as it is now. `approval`: the id of one that waits no longer. `grants`:
    whether the grants in force changed. `issued`: new credentials. `ended`: digests of those that
    are over. `people`: whether persons, teams or stops changed; `persons`: those that did, as they
    are now, where that is known. `stop`: one that was made or lifted. `moved`: what has changed of
    teams. `more`: acts on other things that are part of this one, for a record each.
    """

    result: Any
    act: Act
    rule: str
    news: tuple[Announcement, ...] = ()
    approval: str | None = None
    grants: bool = False
    issued: tuple[Credential, ...] = ()
    ended: tuple[bytes, ...] = ()
    people: bool = False
    persons: tuple[Person, ...] = ()
    stop: Stop | None = None
    moved: Moved | None = None
    more: tuple[Act, ...] = ()


class Done(msgspec.Struct, frozen=True):
    """`result`: what the act is about, as it is now."""

    result: Any
