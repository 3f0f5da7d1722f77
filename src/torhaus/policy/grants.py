"""Which permission allows an action."""

from torhaus.model.access import Permission
from torhaus.policy.asked import Asked


def granting(asked: Asked, action: str) -> Permission | None:
    """The first permission for the action on the call's type, or on one it belongs to.

    A condition that cannot be told is none that holds.
    """
    for permission in asked.index.allows.covering(action, asked.lineage):
        if permission.when is None:
            return permission
        try:
            if permission.when.holds(asked.facts):
                return permission
        except ValueError:
            continue
    return None
