"""Who may push: a token of one source, not too often, over a transport that keeps it secret."""

import hmac
from collections.abc import Callable

from starlette.types import Scope

from torhaus.admin.throttle import Throttle
from torhaus.api.door import Turned
from torhaus.api.scim.resources import Sender
from torhaus.identity.keys import digest
from torhaus.identity.scim.problem import ScimError
from torhaus.model.provisioning import ScimSource

MINUTE = 60.0


class ScimDoor:
    """Owned by one event loop. `sources`: of the rules in force.

    `refused`: told of an address whose token nobody knows.
    """

    def __init__(
        self,
        sources: Callable[[], tuple[ScimSource, ...]],
        look: Callable[[Scope], Turned | None],
        refused: Callable[[str, str], None],
        clock: Callable[[], float],
    ) -> None:
        self._sources = sources
        self._look = look
        self._refused = refused
        self._clock = clock
        self._throttle = Throttle(clock)
        self._left: dict[str, tuple[float, float]] = {}

    def admit(self, scope: Scope) -> Sender:
        """Raises ScimError, and then nothing is done."""
        turned = self._look(scope)
        if turned is not None:
            raise ScimError(turned.status, turned.reason)
        ip = scope["client"][0] if scope.get("client") else ""
        wait = self._throttle.wait(ip)
        if wait:
            raise ScimError(429, f"too many wrong tokens: wait {wait:.0f} s")
        source = self._source(_token(scope))
        if source is None:
            self._throttle.failed(ip)
            self._refused(ip, "the SCIM token is not valid")
            raise ScimError(401, "send the token of a source in auth.scim: Authorization: Bearer")
        self._pace(source)
        return Sender(source, ip)

    def _source(self, token: str) -> ScimSource | None:
        """All are compared, so that the time says nothing."""
        shown, found = digest(token), None
        for source in self._sources():
            for each in source.digests:
                if hmac.compare_digest(each, shown) and token:
                    found = source
        return found

    def _pace(self, source: ScimSource) -> None:
        now = self._clock()
        left, at = self._left.get(source.name, (float(source.rate), now))
        left = min(float(source.rate), left + (now - at) * source.rate / MINUTE)
        if left < 1:
            raise ScimError(429, f"more than {source.rate} requests a minute: wait a moment")
        self._left[source.name] = (left - 1, now)


def _token(scope: Scope) -> str:
    found = [value for name, value in scope["headers"] if name == b"authorization"]
    if len(found) != 1:
        return ""
    scheme, _, token = found[0].decode("latin-1").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""
