"""What the state database says of one person and one of his credentials, at one moment."""

import msgspec

from torhaus.model.credentials import Kept
from torhaus.model.grant import Grant
from torhaus.model.person import Membership, Person, Team
from torhaus.model.stops import Stop


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """`key`: the id that was asked for, empty where none was; `kept`: None when it is unknown.

    `members`: where he is in. `teams`: every one. `grants`: his. `stops`: all in force.
    """

    email: str
    person: Person | None = None
    key: str = ""
    kept: Kept | None = None
    grants: tuple[Grant, ...] = ()
    teams: tuple[Team, ...] = ()
    members: tuple[Membership, ...] = ()
    stops: tuple[Stop, ...] = ()
