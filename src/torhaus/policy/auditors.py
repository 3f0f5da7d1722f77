"""Who may read everybody's audit records: those who hold that right itself, or every right."""

from torhaus.model.access import Permission
from torhaus.model.names import HOUSE
from torhaus.model.people import Principal
from torhaus.policy.approvers import active, is_person

RIGHT = f"{HOUSE}:audit:read"


def may_audit(principal: Principal, now: float) -> str | None:
    """None when he may now; otherwise why he may not, as a sentence.

    `*:read` is about servers and not enough. A deny removes it, also from those who hold `*`, and
    conditions (`when:`) are about calls: an allow under one does not count, a deny does.
    """
    if not active(principal, now):
        return "your access has ended"
    access = principal.phase(now).on(HOUSE)
    allowed = any(_opens(each) and each.when is None for each in access.allows)
    if access.scopes is not None and not any(_opens(each) for each in access.scopes):
        return f"the key that was sent is held to scopes without {RIGHT}"
    if allowed and is_person(principal) and not any(_shuts(each) for each in access.denies):
        return None
    return f"reading the audit log needs the permission {RIGHT}"


def _opens(permission: Permission) -> bool:
    what = (permission.server, permission.type, permission.action)
    return what in ((HOUSE, "audit", "read"), ("*", "*", "*"))


def _shuts(permission: Permission) -> bool:
    return (
        permission.server in ("*", HOUSE)
        and permission.type in ("*", "audit")
        and permission.action in ("*", "read")
    )
