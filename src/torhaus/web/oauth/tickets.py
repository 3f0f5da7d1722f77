"""What a browser carries from the consent page to the end of the sign-in, sealed and bound to it.

A ticket opens only together with the cookie of the browser it was made for. Somebody who gets
another's ticket, or makes another open an address of his, has nothing.
"""

from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Literal

import msgspec
from starlette.responses import Response

from torhaus.identity.oauth.asked import Asked
from torhaus.identity.oauth.origins import cookie_name, secure
from torhaus.mcp.seal import Sealer, SealError, binding

__all__ = ["SealError", "Ticket", "Tickets"]

LIFE = 600.0
"""Seconds to decide, and again to sign in."""
KEPT = 3600
"""Seconds the browser keeps its half."""
LONGEST = 3600
"""Characters: a ticket stands in an address that the login page takes back to."""
Stage = Literal["asked", "agreed"]


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """`id`: of the one consent that may come of it. `email`: who the page was shown to, if known.

    `origin`: what we were called, and say we are.
    """

    id: str
    asked: Asked
    origin: str
    email: str | None = None


class Tickets:
    """`random(n)`: n random bytes. `clock`: Unix seconds."""

    def __init__(
        self, sealer: Sealer, random: Callable[[int], bytes], clock: Callable[[], float]
    ) -> None:
        self._sealer = sealer
        self._random = random
        self._clock = clock

    def new_id(self) -> str:
        return "con_" + self._random(16).hex()

    def browser(self, cookies: Mapping[str, str], origin: str) -> str:
        """The browser's half as it has it, or a new one."""
        found = self.held(cookies, origin)
        return self._random(32).hex() if found is None else found

    def held(self, cookies: Mapping[str, str], origin: str) -> str | None:
        found = cookies.get(cookie_name(origin, "torhaus-consent"), "")
        return found if len(found) == 64 and found.isalnum() and found.isascii() else None

    def keep(self, response: Response, browser: str, origin: str) -> None:
        response.set_cookie(
            cookie_name(origin, "torhaus-consent"),
            browser,
            max_age=KEPT,
            path="/",
            secure=secure(origin),
            httponly=True,
            samesite="lax",
        )

    def seal(self, ticket: Ticket, stage: Stage, browser: str) -> str | None:
        """None when it is too long to be taken along."""
        content = msgspec.json.encode(ticket)
        made = self._sealer.seal(content, _bound(stage, browser), self._clock() + LIFE)
        return made if len(made) <= LONGEST else None

    def open(self, sealed: str, stage: Stage, browser: str | None) -> Ticket:
        """Raises SealError: not ours, over, or another browser's."""
        if browser is None:
            raise SealError("this browser has not asked for that")
        content = self._sealer.unseal(sealed, _bound(stage, browser), self._clock())
        try:
            return msgspec.json.decode(content, type=Ticket)
        except msgspec.MsgspecError as error:  # of another version of ours
            raise SealError("not a valid token") from error


def _bound(stage: str, browser: str) -> bytes:
    return binding("oauth consent", stage, sha256(browser.encode()).hexdigest())
