"""`/revoke`: a client gives back a token (RFC 7009)."""

from starlette.requests import Request
from starlette.responses import Response

from torhaus.identity.oauth.presented import ClientError
from torhaus.web.oauth.replies import error, form, ip, told
from torhaus.web.oauth.shared import OAuth
from torhaus.web.oauth.token import authenticated, refused


class RevokeEndpoint:
    def __init__(self, oauth: OAuth) -> None:
        self._oauth = oauth

    async def page(self, request: Request) -> Response:
        """200 whatever the token was: what is not known is over already.

        Some clients leave their id out; who holds a token may end it.
        """
        sent = await form(request)
        if isinstance(sent, Response):
            return sent
        client = None
        if "client_id" in sent or "authorization" in request.headers:
            try:
                client = await authenticated(self._oauth, request, sent)
            except ClientError as failed:
                return refused(failed)
        token = sent.get("token", "")
        if not token:
            return error("invalid_request", "token is missing")
        await self._oauth.tokens.revoke(token, client, ip(request))
        return told({})
