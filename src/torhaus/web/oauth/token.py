"""`/token`: codes and refresh tokens for tokens."""

from collections.abc import Mapping

from starlette.requests import Request
from starlette.responses import Response

from torhaus.admin.oauth.acts import Claim, Denied
from torhaus.admin.oauth.tokens import Tokened
from torhaus.identity.oauth.asked import aimed
from torhaus.identity.oauth.documents import JWT_BEARER, SCOPE
from torhaus.identity.oauth.presented import ClientError, check, presented
from torhaus.model.oauth import Client
from torhaus.web.oauth.replies import error, form, ip, told
from torhaus.web.oauth.shared import OAuth


class TokenEndpoint:
    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth

    async def page(self, request: Request) -> Response:
        sent = await form(request)
        if isinstance(sent, Response):
            return sent
        try:
            client = await authenticated(self._oauth, request, sent)
        except ClientError as failed:
            return refused(failed)
        if not self._oauth.server().enabled:  # in the word that makes clients forget what they have
            return error("invalid_grant", "nobody signs in here: clients need a key")
        match sent.get("grant_type"):
            case "authorization_code" | "refresh_token" as grant:
                return await self._granted(request, grant, sent, client)
            case jwt if jwt == JWT_BEARER and self._oauth.server().assertions:
                return await self._asserted(request, sent, client)
            case None | "":
                return error("invalid_request", "grant_type is missing")
            case _:
                text = "grant_type is authorization_code or refresh_token"
                return error("unsupported_grant_type", text)

    async def _granted(
        self, request: Request, grant: str, sent: Mapping[str, str], client: Client
    ) -> Response:
        oauth, resource = self._oauth, sent.get("resource") or None
        audience = None
        if resource is not None:
            audience = aimed(resource, oauth.origin(request), oauth.names())
            if audience is None:
                return error("invalid_target", "resource is not a server of this gateway")
        if grant == "refresh_token":
            token = sent.get("refresh_token", "")
            found = await oauth.tokens.refresh(token, audience, client, ip(request))
        else:
            claim = Claim(
                verifier=sent.get("code_verifier", ""),
                redirect_uri=sent.get("redirect_uri") or None,
                audience=audience,
            )
            found = await oauth.tokens.exchange(sent.get("code", ""), claim, client, ip(request))
        return _answer(found)

    async def _asserted(
        self, request: Request, sent: Mapping[str, str], client: Client
    ) -> Response:
        oauth, origin = self._oauth, self._oauth.origin(request)

        def aim(resource: str) -> str | None:
            return aimed(resource, origin, oauth.names())

        token = sent.get("assertion", "")
        return _answer(await oauth.assertions.accept(token, client, origin, aim, ip(request)))


async def authenticated(oauth: OAuth, request: Request, sent: Mapping[str, str]) -> Client:
    """Raises ClientError, StateError."""
    claimed = presented(request.headers.get("authorization"), sent)
    return check(await oauth.lookup.find(claimed.client_id, ip(request)), claimed)


def refused(failed: ClientError) -> Response:
    """A client that is not known any more is told so in the word that makes it register anew."""
    if failed.code != "invalid_client":
        return error(failed.code, str(failed))
    if failed.basic:
        return error(failed.code, str(failed), 401, www_authenticate='Basic realm="torhaus"')
    return error(failed.code, str(failed), 401)


def _answer(found: Tokened | Denied) -> Response:
    if isinstance(found, Denied):
        return error(found.code, found.text)
    refresh = {"refresh_token": found.refresh} if found.refresh else {}
    return told(
        {
            "access_token": found.access,
            "token_type": "Bearer",
            "expires_in": found.seconds,
            **refresh,
            "scope": SCOPE,
        }
    )
