"""What the addresses of the authorization server share, handed in once."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from starlette.requests import Request

from torhaus.admin.oauth.assertions import Assertions
from torhaus.admin.oauth.lookup import Lookup
from torhaus.admin.oauth.tokens import Tokens
from torhaus.admin.perform import Admin
from torhaus.identity.oauth.origins import Origins
from torhaus.mcp.seal import Sealer
from torhaus.model.oauth import AuthorizationServer
from torhaus.model.people import Principal
from torhaus.model.rules import Rules


class SignedIn(Protocol):
    """A person in a browser. `family`: the browser session, which `began` then (Unix seconds).

    `principal`: with it as `shown`.
    """

    @property
    def email(self) -> str: ...
    @property
    def family(self) -> str: ...
    @property
    def principal(self) -> Principal: ...
    @property
    def began(self) -> float: ...


SignIn = Callable[[SignedIn | None, str], str | None]


class Sessions(Protocol):
    """Who sits at the browser."""

    async def who(self, scope: Mapping[str, Any]) -> SignedIn | None:
        """None for whoever has not signed in. Raises StateError."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth:
    """`origins`: what we are called; `random(n)`: n random bytes; `clock`: Unix seconds.

    `sign_in`: where somebody signs in, or does so once more, who then comes back to a path of ours;
    None where that is not needed.
    """

    server: Callable[[], AuthorizationServer]
    origins: Callable[[], Origins]
    rules: Callable[[], Rules]
    clock: Callable[[], float]
    random: Callable[[int], bytes]
    admin: Admin
    lookup: Lookup
    tokens: Tokens
    assertions: Assertions
    sealer: Sealer
    sessions: Sessions
    sign_in: SignIn

    def origin(self, request: Request) -> str:
        return self.origins().of(request.headers.get("host", ""))

    def names(self) -> frozenset[str]:
        """Servers and views: what a token can be for, besides everything."""
        rules = self.rules()
        return frozenset((*rules.servers, *(name for name in rules.views if name)))
