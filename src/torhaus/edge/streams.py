"""The streams that outlive their requests: whose they are, and how many one caller may have."""

from collections import Counter
from typing import Any

from torhaus.edge.exchange import Exchange
from torhaus.edge.serving import Stays
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError

MOST = 256
"""Streams that one caller may have open: some for each of his programs, sessions and servers."""


class Streams(dict[Exchange, Stays]):
    """Owned by one event loop. Whoever has too many is refused another one."""

    def __init__(self) -> None:
        super().__init__()
        self._held: Counter[str] = Counter()

    def __setitem__(self, exchange: Exchange, stays: Stays) -> None:
        """Raises CallerError (429)."""
        caller = stays.visitor.principal.id
        if exchange not in self:
            if self._held[caller] >= MOST:
                text = f"you have {MOST} streams open here: close one"
                raise CallerError(codes.LIMITED, text, status=429)
            self._held[caller] += 1
        super().__setitem__(exchange, stays)

    def __delitem__(self, exchange: Exchange) -> None:
        caller = self[exchange].visitor.principal.id
        super().__delitem__(exchange)
        self._held[caller] -= 1
        if not self._held[caller]:
            del self._held[caller]

    def pop(self, exchange: Exchange, default: Any = None) -> Any:
        """The one that ends, if it is there."""
        stays = self.get(exchange)
        if stays is None:
            return default
        del self[exchange]
        return stays
