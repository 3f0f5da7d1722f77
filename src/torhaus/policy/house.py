"""Who may administer people, keys and stops: holders of that right, or of every right."""

from torhaus.model.access import Permission
from torhaus.model.names import HOUSE
from torhaus.model.people import Principal
from torhaus.model.texts import filled, marked
from torhaus.policy.approvers import active, is_person

ENDED = marked("your access has ended")


def right(kind: str, action: str = "admin") -> str:
    return f"{HOUSE}:{kind}:{action}"


def may(principal: Principal, kind: str, now: float, action: str = "admin") -> str | None:
    """None when he may now; otherwise why he may not, as a sentence.

    A deny removes the right, also from those who hold `*`, and conditions (`when:`) are about
    calls: an allow under one does not count, a deny does. So do the scopes of his credential.
    """
    if not active(principal, now):
        return ENDED
    access = principal.phase(now).on(HOUSE)
    wanted = ((HOUSE, kind, action), ("*", "*", "*"))
    allowed = any(_what(each) in wanted and each.when is None for each in access.allows)
    if access.scopes is not None and not any(_what(each) in wanted for each in access.scopes):
        text = marked("the key that was sent is held to scopes without {right}")
        return filled(text, right=right(kind, action))
    if allowed and is_person(principal) and not any(_shuts(d, kind, action) for d in access.denies):
        return None
    return filled(marked("this needs the permission {right}"), right=right(kind, action))


def _what(permission: Permission) -> tuple[str, str, str]:
    return (permission.server, permission.type, permission.action)


def _shuts(permission: Permission, kind: str, action: str) -> bool:
    return (
        permission.server in ("*", HOUSE)
        and permission.type in ("*", kind)
        and permission.action in ("*", action)
    )
