"""Who may agree to a call: four eyes, the lists of every policy that asks, rights held now."""

from collections.abc import Iterable

from torhaus.model.access import NO_ACCESS, Access, Permission
from torhaus.model.approval import Approval
from torhaus.model.people import Phase, Principal
from torhaus.model.rules import Rules
from torhaus.model.texts import filled, marked


def may_decide(principal: Principal, approval: Approval, rules: Rules, now: float) -> str | None:
    """None when this principal may decide it now; otherwise a sentence that says why not.

    Asked at the decision and again when the call is made: whoever lost the right meanwhile has
    not approved anything. The requester never may, under whatever name.
    """
    wanted = approval.wanted
    if is_same(principal, wanted.requester, wanted.email):
        return marked("nobody approves his own call: ask somebody else")
    if not is_person(principal):
        return marked("a decision needs a person: send a key of your own")
    known = rules.principals.get(principal.id)
    if known is None:
        text = marked("{person} is not in the configuration any more")
        return filled(text, person=principal.email)
    lists = wanted.approvers or ((),)
    for names in lists:
        if names and not named(known, names, now, wanted.server):
            return filled(marked("this needs one of: {names}"), names=", ".join(names))
        why = None if names else may_administer(known, wanted.server, now)
        if why is not None:
            return why
    return None


def is_person(principal: Principal) -> bool:
    """A user or service account; not the anonymous caller of a network."""
    return "@" in principal.email


def administrators(rules: Rules, server: str, now: float) -> tuple[str, ...]:
    """The addresses of those who administer a server (`*`: all of them) now, in order."""
    known = (each for each in rules.principals.values() if is_person(each))
    return tuple(sorted(each.email for each in known if administers(each, server, now)))


def is_same(principal: Principal, requester: str, email: str) -> bool:
    """Whether this is the person who asked; addresses are compared without case."""
    return principal.id == requester or principal.email.casefold() == email.casefold()


def named(principal: Principal, names: tuple[str, ...], now: float, server: str) -> bool:
    """Whether a list of roles, groups and e-mail addresses names somebody who has access now.

    Roles are those that count on the server.
    """
    if not active(principal, now):
        return False
    email = principal.email.casefold()
    held = {*principal.phase(now).roles_on(server), *principal.groups}
    return any(name in held or name.casefold() == email for name in names)


def administers(principal: Principal, server: str, now: float) -> bool:
    """Whether `admin` on the whole server is allowed without conditions, and never denied."""
    if not active(principal, now):
        return False
    access = principal.phase(now).on(server)
    allowed = any(_covers(each, server) and each.when is None for each in access.allows)
    if access.scopes is not None and not any(_covers(each, server) for each in access.scopes):
        return False
    return allowed and not any(_covers(each, server) for each in access.denies)


def govern(roles: Iterable[str], rules: Rules) -> bool:
    """Whether these roles together make somebody an administrator of everything."""
    parts = [rules.role_access.get(role, {}).get("*", NO_ACCESS) for role in roles]
    phase = Phase(
        access={
            "*": Access(
                allows=tuple(each for part in parts for each in part.allows),
                denies=tuple(each for part in parts for each in part.denies),
            )
        }
    )
    return administers(Principal(id="", email="", phases=(phase,)), "*", 0.0)


def may_administer(principal: Principal, server: str, now: float) -> str | None:
    """None when he administers the server now; otherwise why he may not, as a sentence."""
    if administers(principal, server, now):
        return None
    text = marked("this needs somebody with admin permission on {server}")
    return filled(text, server=server[:128])


def active(principal: Principal, now: float) -> bool:
    return principal.expires is None or now < principal.expires


def _covers(permission: Permission, server: str) -> bool:
    """A permission for one type of things (`github:repos:admin`) is not one on the server."""
    return (
        permission.server in ("*", server)
        and permission.type == "*"
        and permission.action in ("*", "admin")
    )
