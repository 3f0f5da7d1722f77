"""What every form carries, so that no other site can post it: bound to the browser's cookie."""

from collections.abc import Callable
from dataclasses import dataclass

from torhaus.mcp.seal import Sealer, SealError, binding

LASTS = 12 * 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FormTokens:
    """`clock`: Unix seconds."""

    sealer: Sealer
    clock: Callable[[], float]

    def issue(self, cookie: bytes) -> str:
        """For forms of the browser with this cookie. `cookie`: its digest."""
        return self.sealer.seal(b"", _bound(cookie), self.clock() + LASTS)

    def valid(self, token: str, cookie: bytes) -> bool:
        try:
            self.sealer.unseal(token, _bound(cookie), self.clock())
        except SealError:
            return False
        return True


def _bound(cookie: bytes) -> bytes:
    return binding("page form", cookie.hex())
