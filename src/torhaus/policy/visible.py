"""What a caller gets to see: lists show what some argument could make allowed."""

from collections.abc import Mapping
from typing import Any

from torhaus.model.people import Principal
from torhaus.model.servers import Server
from torhaus.policy.classify import Classified, possible
from torhaus.policy.grants import granting


def may_use(principal: Principal, server: Server) -> bool:
    """Whether the caller holds any permission on the server; expiry is `decide`'s business."""
    return bool(principal.permissions(server.name))


def visible(principal: Principal, server: Server, tool: str, hints: Mapping[str, Any]) -> bool:
    """Whether some arguments could make a call of this tool allowed."""
    return any(_allowed(principal, server, does) for does in possible(server, tool, hints))


def _allowed(principal: Principal, server: Server, does: Classified) -> bool:
    held = principal.permissions(server.name)
    return all(
        granting(held, action, does.type, server.parents) is not None for action in does.actions
    )
