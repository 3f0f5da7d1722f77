"""The documents in which clients find where to sign in, at every place they look."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from torhaus.identity.oauth.documents import authorization_server, protected_resource
from torhaus.identity.oauth.resources import AGGREGATE
from torhaus.web.oauth.replies import CORS, error
from torhaus.web.oauth.shared import OAuth

FRESH = {"cache-control": "public, max-age=300"}


class WellKnown:
    """RFC 9728 for each server, view, and all together; RFC 8414 for the gateway."""

    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth

    async def resource(self, request: Request) -> Response:
        """At the path of the server, or at the root for all of them; or at a server's own host."""
        oauth = self._oauth
        host = request.headers.get("host", "")
        name = request.path_params.get("name", AGGREGATE)
        aliased = oauth.origins().named(host)
        if aliased and not name:
            name = aliased
        if not oauth.server().enabled or (name and name not in oauth.names()):
            return error("not_found", "there is no such server here", 404)
        by_alias = bool(aliased) and name == aliased
        return self._document(protected_resource(oauth.origin(request), name, by_alias=by_alias))

    async def server(self, request: Request) -> Response:
        oauth, server = self._oauth, self._oauth.server()
        if not server.enabled:
            return error("not_found", "nobody signs in here: clients need a key", 404)
        return self._document(authorization_server(oauth.origin(request), server))

    def _document(self, body: dict[str, object]) -> Response:
        # While the origin follows the Host header, caches must tell hosts apart.
        return JSONResponse(body, headers={**CORS, **FRESH, "vary": "host"})
