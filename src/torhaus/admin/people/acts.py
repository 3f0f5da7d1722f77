"""What can be done about people, keys and stops, as data."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from torhaus.model.person import Person, PersonKind
from torhaus.model.stops import StopKind


class AddPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody new, or somebody who was gone. `expires`: Unix seconds; None for never.

    `servers`: the only ones his roles open; empty for all that they do. `responsible`: the person
    who answers for a service account; it must have one.
    """

    email: str
    kind: PersonKind = PersonKind.USER
    name: str = ""
    roles: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    expires: float | None = None
    responsible: str = ""


class ChangePerson(msgspec.Struct, frozen=True, kw_only=True):
    """None leaves a thing as it is. `forever`: his access ends no more by itself.

    `servers`: as for somebody new; empty takes the limit away.
    """

    email: str
    name: str | None = None
    roles: tuple[str, ...] | None = None
    servers: tuple[str, ...] | None = None
    expires: float | None = None
    forever: bool = False
    responsible: str | None = None


class SuspendPerson(msgspec.Struct, frozen=True):
    """No more calls until he is reinstated; sessions and tokens end, keys wait.

    `hand_to`: who answers for his service accounts from now on; they are suspended without.
    """

    email: str
    reason: str = ""
    hand_to: str = ""


class ReinstatePerson(msgspec.Struct, frozen=True):
    email: str


class OffboardPerson(msgspec.Struct, frozen=True):
    """He has left: everything that came of his access ends at once. `hand_to`: as above."""

    email: str
    reason: str = ""
    hand_to: str = ""


class Outcome(StrEnum):
    SUSPENDED = "suspended"
    HANDED_OVER = "handed_over"


class Program(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a service account whose person goes. `to`: who answers for it now."""

    email: str
    outcome: Outcome
    to: str = ""


class Ended(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody's access is over, or back. `closed`: how many of what ended with it, by name.

    `programs`: his service accounts.
    """

    person: Person
    closed: Mapping[str, int] = {}
    programs: tuple[Program, ...] = ()


class MakeKey(msgspec.Struct, frozen=True, kw_only=True):
    """`digest`: of the key. `audience`: the one server or view; None for all."""

    email: str
    digest: bytes
    label: str
    scopes: tuple[str, ...] = ()
    audience: str | None = None
    expires: float | None = None
    ip: str = ""


class RevokeKey(msgspec.Struct, frozen=True):
    """A key or an access token, by its id."""

    id: str


class EndFamily(msgspec.Struct, frozen=True):
    """A browser session, or what a client was let in for."""

    id: str
    reason: str = ""


class MakeStop(msgspec.Struct, frozen=True, kw_only=True):
    """`target`: an address, a credential's id, a server, or `server/tool`."""

    kind: StopKind
    target: str
    reason: str
    expires: float | None = None


class LiftStop(msgspec.Struct, frozen=True):
    id: str
