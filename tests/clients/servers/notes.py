"""Notes of whoever signed in, on the `mcp` SDK's own check of tokens: PORT ISSUER."""

import sys

import httpx
from mcp.server.auth.middleware.auth_context import get_access_token
from mcp.server.auth.provider import AccessToken
from mcp.server.auth.settings import AuthSettings
from mcp.server.mcpserver import MCPServer

port, issuer = int(sys.argv[1]), sys.argv[2]
here = f"http://127.0.0.1:{port}/mcp"


class Introspection:
    """Asks the authorization server about each token."""

    async def verify_token(self, token: str) -> AccessToken | None:
        pair = ("the-server", "the-servers-secret-0123456789")
        async with httpx.AsyncClient() as client:
            where = f"{issuer}/token/introspection"
            found = (await client.post(where, data={"token": token}, auth=pair)).json()
        if not found.get("active") or found.get("aud") != here:
            return None
        return AccessToken(
            token=token,
            client_id=found["client_id"],
            scopes=found.get("scope", "").split(),
            expires_at=found["exp"],
            resource=here,
            subject=found.get("sub") or found.get("workload") or found["client_id"],
        )


server = MCPServer(
    "notes",
    token_verifier=Introspection(),
    auth=AuthSettings(
        issuer_url=issuer,
        resource_server_url=here,
        required_scopes=["notes"],
        validate_token_resource=True,
    ),
)
notes: dict[str, list[str]] = {}
asked: dict[str, int] = {}


def who() -> str:
    found = get_access_token()
    return "nobody" if found is None else str(found.subject)


@server.tool()
def list_notes() -> str:
    """Tell whose notes these are, what they are, and how often they were asked for."""
    asked[who()] = asked.get(who(), 0) + 1
    return f"{who()}: {', '.join(notes.get(who(), []))} ({asked[who()]})"


@server.tool()
def add_note(text: str) -> str:
    """Add a note."""
    notes.setdefault(who(), []).append(text)
    return f"{who()} has {len(notes[who()])}"


server.run("streamable-http", host="127.0.0.1", port=port)
