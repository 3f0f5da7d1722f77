"""A server that goes by an identity provider's word, on the `mcp` SDK's own SEP-990.

PORT IDP LASTS: LASTS are the seconds of an access token.
"""

import json
import secrets
import sys
import time
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken, IdentityAssertionParams, TokenError
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer
from mcp.shared.auth import OAuthClientInformationFull, OAuthToken

port, idp, lasts = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
issuer = f"http://127.0.0.1:{port}"
here = f"{issuer}/mcp"
BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
CLIENT = OAuthClientInformationFull(
    client_id="torhaus-there",
    client_secret="torhauss-secret-there-0123456789",
    redirect_uris=["http://127.0.0.1/none"],
    grant_types=[BEARER],
    token_endpoint_auth_method="client_secret_basic",
    scope="notes",
)


class Authority:
    """Checks what draft-ietf-oauth-identity-assertion-authz-grant wants of it, section 4.4.1."""

    def __init__(self) -> None:
        self.tokens: dict[str, AccessToken] = {}
        self.seen: set[str] = set()

    async def get_client(self, client_id: str) -> OAuthClientInformationFull | None:
        return CLIENT if client_id == CLIENT.client_id else None

    async def load_access_token(self, token: str) -> AccessToken | None:
        return self.tokens.get(token)

    async def exchange_identity_assertion(
        self, client: OAuthClientInformationFull, params: IdentityAssertionParams
    ) -> OAuthToken:
        async with httpx.AsyncClient() as web:
            keys = KeySet.import_key_set((await web.get(f"{idp}/jwks")).json())
        try:
            found = jwt.decode(params.assertion, keys, algorithms=["ES256"])
            jwt.JWTClaimsRegistry(
                iss={"essential": True, "value": idp},
                aud={"essential": True, "value": issuer},
                sub={"essential": True},
                exp={"essential": True},
            ).validate(found.claims)
        except (JoseError, ValueError) as error:
            raise TokenError("invalid_grant", str(error)) from error
        said = found.claims
        if found.header.get("typ") != "oauth-id-jag+jwt" or said["jti"] in self.seen:
            raise TokenError("invalid_grant", "of another kind, or used up")
        if said.get("client_id") != client.client_id or said.get("resource") != here:
            raise TokenError("invalid_grant", "for somebody else")
        self.seen.add(said["jti"])
        token = secrets.token_urlsafe(32)
        self.tokens[token] = AccessToken(
            token=token,
            client_id=CLIENT.client_id,
            scopes=["notes"],
            expires_at=int(time.time()) + lasts,
            resource=here,
            subject=said["sub"],
        )
        return OAuthToken(access_token=token, expires_in=lasts, scope="notes")


authority: Any = Authority()
server = MCPServer(
    "vouched",
    auth_server_provider=authority,
    auth=AuthSettings(
        issuer_url=issuer,
        resource_server_url=here,
        required_scopes=["notes"],
        identity_assertion_enabled=True,
        validate_token_resource=True,
    ),
)


@server.tool()
def who() -> str:
    """Tell who asks, and how many tokens there are."""
    found = get_access_token()
    subject = "nobody" if found is None else str(found.subject)
    return json.dumps({"who": subject, "tokens": len(authority.tokens)})


server.run("streamable-http", host="127.0.0.1", port=port)
