"""Links at which one request for approval can be looked at and decided.

The link shows the call, no more: who decides proves himself there with a key of his own.
"""

from collections.abc import Callable
from urllib.parse import quote

from torhaus.mcp.seal import Sealer, SealError, binding
from torhaus.model.approval import Approval

__all__ = ["DecisionLinks", "SealError"]


class DecisionLinks:
    """`origin`: where people reach us, without a trailing slash; None where nobody knows."""

    def __init__(self, sealer: Sealer, origin: Callable[[], str | None]) -> None:
        self._sealer = sealer
        self._origin = origin

    def url(self, approval: Approval) -> str | None:
        """Valid until the approval expires."""
        origin = self._origin()
        if origin is None:
            return None
        token = self._sealer.seal(b"", _link(approval.id), approval.expires)
        return f"{origin}/approvals/{quote(approval.id, safe='')}?t={token}"

    def check(self, id: str, token: str, now: float) -> None:
        """Raises SealError for a link that is not ours, was changed, or has expired."""
        self._sealer.unseal(token, _link(id), now)

    def form(self, id: str, token: str, expires: float) -> str:
        """What a form on the link's page carries, so that no other page can post it."""
        return self._sealer.seal(b"", _form(id, token), expires)

    def check_form(self, id: str, token: str, sealed: str, now: float) -> None:
        """Raises SealError."""
        self._sealer.unseal(sealed, _form(id, token), now)


def _link(id: str) -> bytes:
    return binding("approval link", id)


def _form(id: str, token: str) -> bytes:
    return binding("approval form", id, token)
