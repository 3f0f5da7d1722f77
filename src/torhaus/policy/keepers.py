"""Who may change credentials for servers: administrators of the server, or holders of the right."""

from torhaus.model.people import Principal
from torhaus.model.texts import filled, marked
from torhaus.policy.approvers import active, administers, is_person
from torhaus.policy.house import ENDED, may, right

RIGHT = right("credentials")


def may_keep(principal: Principal, server: str, now: float) -> str | None:
    """None when he may now; otherwise why he may not, as a sentence. `server`: `*` for all."""
    if not active(principal, now):
        return ENDED
    if may(principal, "credentials", now) is None:
        return None
    if is_person(principal) and administers(principal, server, now):
        return None
    if server == "*":
        text = marked("this needs admin permission on every server, or the permission {right}")
        return filled(text, right=RIGHT)
    text = marked("this needs admin permission on {server}, or the permission {right}")
    return filled(text, server=server[:128], right=RIGHT)
