"""What carries the acts of this room out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.inviting.acts import Invite, RenewInvitation, RevokeInvitation
from torhaus.admin.inviting.deciding import invite, renew_invitation, revoke_invitation
from torhaus.model.desk import Desk

INVITING_WORKS: Mapping[type, Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal]]] = {
    Invite: invite,
    RevokeInvitation: revoke_invitation,
    RenewInvitation: renew_invitation,
}
