"""Acts with a credential that is held to scopes: they must name the right the act needs."""

from typing import Any

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.audit.acts import Act
from torhaus.model.access import Permission
from torhaus.model.desk import Desk
from torhaus.model.names import HOUSE
from torhaus.model.people import Principal
from torhaus.policy.scopes import within

_HOUSE = {
    "AddPerson": "people",
    "ChangePerson": "people",
    "SuspendPerson": "people",
    "ReinstatePerson": "people",
    "OffboardPerson": "people",
    "MakeTeam": "people",
    "ChangeTeam": "people",
    "RemoveTeam": "people",
    "JoinTeam": "people",
    "LeaveTeam": "people",
    "Invite": "people",
    "RevokeInvitation": "people",
    "RenewInvitation": "people",
    "RevokeKey": "keys",
    "EndFamily": "keys",
    "MakeStop": "stops",
    "LiftStop": "stops",
}
_SERVERS = frozenset(("PurgeCache", "AcceptTool", "RejectTool"))
"""Acts of administrators of one server. All that are in neither need a credential without scopes:
what is decided, agreed to or made with it would last longer than it, and reach further."""


def may_try(actor: Principal, act: Any) -> bool:
    if actor.scopes is None:
        return True
    name = type(act).__name__
    if name in _HOUSE:
        return within(Permission(HOUSE, _HOUSE[name], "admin", ""), actor.scopes)
    if name in _SERVERS:
        return within(Permission(act.server, "*", "admin", ""), actor.scopes)
    return within(Permission("*", "*", "*", ""), actor.scopes)


EXCEEDED = "the key that was sent is held to scopes which leave this out: use one without"


async def outside(_desk: Desk, _scene: Scene, act: Any) -> Effect | Refusal:
    """The end of an act that the scopes leave out."""
    tried = Act(operation="scopes.exceeded", facts={"act": type(act).__name__})
    return Refusal("not_allowed", EXCEEDED, tried)
