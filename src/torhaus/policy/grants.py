"""Which permission allows an action."""

from collections.abc import Iterable, Mapping

from torhaus.model.people import Permission


def granting(
    permissions: Iterable[Permission], action: str, kind: str, parents: Mapping[str, str]
) -> Permission | None:
    """The first permission that covers the action on this type, or on a type it belongs to."""
    for permission in permissions:
        if permission.action in (action, "*") and (
            permission.type in ("*", kind) or _within(kind, permission.type, parents)
        ):
            return permission
    return None


def _within(kind: str, wider: str, parents: Mapping[str, str]) -> bool:
    """Is `kind` part of `wider`? Bounded, should a configuration make a ring of parents."""
    for _ in range(8):
        above = parents.get(kind)
        if above is None:
            return False
        if above == wider:
            return True
        kind = above
    return False
