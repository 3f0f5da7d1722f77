"""The addresses of the authorization server."""

from starlette.routing import Route

from torhaus.identity.oauth.documents import OPENID, PROTECTED, SERVER
from torhaus.web.front import Front
from torhaus.web.oauth.authorize import Authorize
from torhaus.web.oauth.register import RegisterEndpoint
from torhaus.web.oauth.replies import Page, open_to_pages
from torhaus.web.oauth.revoke import RevokeEndpoint
from torhaus.web.oauth.shared import OAuth
from torhaus.web.oauth.token import TokenEndpoint
from torhaus.web.oauth.well_known import WellKnown


def routes(oauth: OAuth, front: Front) -> list[Route]:
    """Documents in every place clients look at: some insert the server's path, some do not."""
    authorize, known = Authorize(oauth, front.pages), WellKnown(oauth)

    def document(path: str, page: Page) -> Route:
        return Route(path, open_to_pages(page, front.look), methods=["GET", "OPTIONS"])

    def endpoint(path: str, page: Page) -> Route:
        return Route(path, open_to_pages(page, front.look), methods=["POST", "OPTIONS"])

    return [
        front.route("/authorize", authorize.page, "GET", "POST"),
        front.route("/authorize/resume", authorize.resume),
        endpoint("/token", TokenEndpoint(oauth).page),
        endpoint("/register", RegisterEndpoint(oauth).page),
        endpoint("/revoke", RevokeEndpoint(oauth).page),
        document(PROTECTED, known.resource),
        document(f"{PROTECTED}/mcp", known.resource),
        document(f"{PROTECTED}/mcp/{{name}}", known.resource),
        *(
            document(f"{path}{more}", known.server)
            for path in (SERVER, OPENID)
            for more in ("", "/mcp", "/mcp/{name}")
        ),
    ]
