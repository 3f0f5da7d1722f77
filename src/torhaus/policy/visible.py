"""What a caller gets to see: lists show what some argument could make allowed."""

from collections.abc import Mapping
from typing import Any

from torhaus.model.access import Access
from torhaus.model.people import Principal
from torhaus.model.servers import Server
from torhaus.policy.classify import Classified, lineage, possible
from torhaus.policy.denies import candidates
from torhaus.policy.index import Index, index
from torhaus.policy.methods import need
from torhaus.policy.names import normal


def may_use(principal: Principal, server: Server, now: float) -> bool:
    """Whether the caller holds any permission on the server now."""
    access = principal.phase(now).on(server.name)
    return bool(access.allows) and access.scopes != ()


def boundless(access: Access) -> bool:
    """Whether everything on the server is allowed, and nothing about any call can change that."""
    held_back = access.denies or access.tags or access.bounds or access.origins or access.policies
    return (
        not held_back
        and access.scopes is None
        and any((each.type, each.action, each.when) == ("*", "*", None) for each in access.allows)
    )


def visible(access: Access, server: Server, tool: str, hints: Mapping[str, Any]) -> bool:
    """Whether some arguments could make a call of this tool allowed, now or at a better time.

    Neither the hour hides a tool, nor the network, nor a `when:`: a list is kept for long, and a
    refusal explains itself. Nor does the need for somebody's approval.
    """
    return any(
        _allowed(access, server, does) and not _refused(access, server, tool, does)
        for does in possible(server, tool, hints)
    )


def listed(access: Access, server: Server, method: str) -> bool:
    """Whether the items of such a list could be used: `resources/read`, `prompts/get`."""
    needed = need(method, {})
    if needed is None:
        return bool(access.allows) and access.scopes != ()
    does = Classified(
        actions=frozenset((needed.action,)), type=needed.type, tool=method, source="method"
    )
    return _allowed(access, server, does) and not _denied(access, server, does)


def _allowed(access: Access, server: Server, does: Classified) -> bool:
    kinds = lineage(does.type, server.parents)
    found = index(access)
    shelves = (found.allows,) if found.scopes is None else (found.allows, found.scopes)
    return bool(does.actions) and all(
        shelf.covering(action, kinds) for shelf in shelves for action in does.actions
    )


def _refused(access: Access, server: Server, tool: str, does: Classified) -> bool:
    return (
        _denied(access, server, does)
        or _blind(access, does)
        or _by_policy(index(access), tool, server, does)
    )


def _denied(access: Access, server: Server, does: Classified) -> bool:
    if any("unknown" in does.actions or each.tags & does.tags for each in access.tags):
        return True
    denies, kinds = index(access).denies, lineage(does.type, server.parents)
    return any(
        deny.when is None
        for action in does.actions
        for deny in candidates(denies, does, action, kinds)
    )


def _blind(access: Access, does: Classified) -> bool:
    """Whether a bound asks for what no argument of the tool can tell."""
    row = does.row
    return any(
        (row is None or limit.bound.kind in row.blind) and limit.bound.when is None
        for limit in index(access).limits
    )


_ALWAYS = (None, None, None, None)


def _by_policy(found: Index, tool: str, server: Server, does: Classified) -> bool:
    kinds = lineage(does.type, server.parents)
    return any(
        (policy.hours, policy.networks, policy.clients, policy.when) == _ALWAYS
        and (not policy.tools or any(g.pattern.fullmatch(normal(tool)) for g in policy.tools))
        and (not policy.actions or not policy.actions.isdisjoint(does.actions))
        and (not policy.types or not policy.types.isdisjoint(kinds))
        for policy in found.refusing
    )
