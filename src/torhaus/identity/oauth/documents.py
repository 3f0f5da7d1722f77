"""What we tell clients about ourselves: RFC 9728 and RFC 8414 documents, the 401 challenge."""

from typing import Any
from urllib.parse import quote

from torhaus.identity.oauth.resources import AGGREGATE, alias, resource
from torhaus.model.oauth import AuthorizationServer

SCOPE = "mcp"
OFFLINE = "offline_access"
"""Asked for by clients that read our metadata; refresh tokens are issued with or without it."""

PROTECTED = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"

JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
ID_JAG = "urn:ietf:params:oauth:grant-profile:id-jag"
AUTH_METHODS = ("none", "client_secret_basic", "client_secret_post")


def metadata_url(origin: str, name: str = AGGREGATE) -> str:
    """Where the document about one server or view is: the path inserted (RFC 9728 section 3.1).

    `name`: as it was asked for, by anybody: it may be no server's, and hold what ends a header.
    """
    return f"{origin}{PROTECTED}/mcp/{quote(name, safe='')}" if name else f"{origin}{PROTECTED}/mcp"


def challenge(origin: str, name: str = AGGREGATE, error: str = "", text: str = "") -> str:
    """The value of WWW-Authenticate of a 401. `error`: only when a credential was sent.

    The URL is absolute: clients have begun to drop relative ones without a word.
    """
    parts = [f'resource_metadata="{metadata_url(origin, name)}"', f'scope="{SCOPE}"']
    if error:
        parts.append(f'error="{error}"')
    if text:
        parts.append(f'error_description="{quotable(text)}"')
    return "Bearer " + ", ".join(parts)


def protected_resource(
    origin: str, name: str = AGGREGATE, *, by_alias: bool = False
) -> dict[str, Any]:
    """The RFC 9728 document. `by_alias`: it was asked for at the server's own host name."""
    return {
        "resource": alias(origin, name) if by_alias else resource(origin, name),
        "authorization_servers": [origin],
        "scopes_supported": [SCOPE],
        "bearer_methods_supported": ["header"],
        "resource_name": f"{name} (Torhaus)" if name else "Torhaus",
    }


def authorization_server(origin: str, server: AuthorizationServer) -> dict[str, Any]:
    """The RFC 8414 document. What we do not have is left out: clients choke on null."""
    grants = ["authorization_code", "refresh_token"]
    found: dict[str, Any] = {
        "issuer": origin,
        "authorization_endpoint": f"{origin}/authorize",
        "token_endpoint": f"{origin}/token",
        "revocation_endpoint": f"{origin}/revoke",
        "scopes_supported": [SCOPE, OFFLINE],
        "response_types_supported": ["code"],
        "response_modes_supported": ["query"],
        "grant_types_supported": grants,
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "revocation_endpoint_auth_methods_supported": list(AUTH_METHODS),
        "authorization_response_iss_parameter_supported": True,
        "client_id_metadata_document_supported": server.documents,
    }
    if server.registration:
        found["registration_endpoint"] = f"{origin}/register"
    if server.assertions:
        grants.append(JWT_BEARER)
        found["authorization_grant_profiles_supported"] = [ID_JAG]
    return found


def quotable(text: str) -> str:
    """RFC 6750 section 3: visible ASCII without quotes and backslashes."""
    kept = (each if " " <= each <= "~" and each not in '"\\' else "'" for each in text)
    return "".join(kept)
