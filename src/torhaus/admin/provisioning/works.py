"""What carries the acts of this room out."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.provisioning.acts import ProvisionGroup, ProvisionUser, RemoveGroup, RemoveUser
from torhaus.admin.provisioning.groups import provision_group, remove_group
from torhaus.admin.provisioning.users import provision_user, remove_user
from torhaus.model.desk import Desk

PROVISIONING_WORKS: Mapping[type, Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal]]] = {
    ProvisionUser: provision_user,
    RemoveUser: remove_user,
    ProvisionGroup: provision_group,
    RemoveGroup: remove_group,
}
