"""A request at /authorize, read strictly: what is wrong with it, and who may be told."""

from collections.abc import Container, Sequence
from urllib.parse import urlencode

import msgspec

from torhaus.identity.oauth import pkce
from torhaus.identity.oauth.redirects import fits
from torhaus.identity.oauth.resources import AGGREGATE, meant
from torhaus.model.oauth import Client
from torhaus.model.texts import marked

NOWHERE = marked("the request does not say where to go back to (redirect_uri)")
STRANGE = marked("the address to go back to is not one that this program has named before")
MAX_STATE = 2048
_ONCE = (
    "response_type",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "code_challenge_method",
    "resource",
    "response_mode",
    "prompt",
)


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A request that a person may be asked about. `state` is None where none was sent."""

    client_id: str
    redirect_uri: str
    audience: str
    challenge: str
    state: str | None = None


class Untold(msgspec.Struct, frozen=True):
    """Wrong, and it is not known where the client is: a page says so, and nothing is sent on."""

    text: str


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """Wrong, and the client is told at its own address. `code`: RFC 6749 section 4.1.2.1."""

    code: str
    text: str
    redirect_uri: str
    state: str | None


Query = Sequence[tuple[str, str]]


def one(query: Query, name: str) -> str | None:
    """The parameter; None where it is not there. An empty one counts as left out."""
    return next((value for key, value in query if key == name and value), None)


def doubled(query: Query) -> str | None:
    """A parameter that stands twice."""
    names = [name for name, _ in query]
    return next((name for name in _ONCE if names.count(name) > 1), None)


def destination(query: Query, client: Client) -> str | Untold:
    """Where this client may be answered."""
    twice = doubled(query)
    if twice in ("client_id", "redirect_uri"):
        return Untold(f"the request has two parameters {twice}")
    sent = one(query, "redirect_uri")
    if sent is None:
        return Untold(NOWHERE)
    if not fits(sent, client.redirect_uris, client.ports):
        return Untold(STRANGE)
    return sent


def read(
    query: Query, client: Client, where: str, origin: str, names: Container[str]
) -> Asked | Told:
    """The rest of the request. `where`: what `destination` found.

    Scopes that we do not have are not given, and the token's answer says so: rights come from the
    rules in force, never from a token.
    """
    state = one(query, "state")
    audience = aimed(one(query, "resource"), origin, names)
    code, text = _fault(query, state) or ("", "")
    if not code and audience is None:
        code, text = "invalid_target", "resource is not a server of this gateway"
    if code or audience is None:
        return Told(code=code, text=text, redirect_uri=where, state=state)
    return Asked(
        client_id=client.id,
        redirect_uri=where,
        audience=audience,
        challenge=one(query, "code_challenge") or "",
        state=state,
    )


def _fault(query: Query, state: str | None) -> tuple[str, str] | None:
    """The error's code and a sentence."""
    twice = doubled(query)
    if twice is not None:
        return "invalid_request", f"the request has two parameters {twice}"
    if state is not None and len(state) > MAX_STATE:
        return "invalid_request", "state is too long"
    if one(query, "response_type") != "code":
        return "unsupported_response_type", "response_type is code"
    if one(query, "response_mode") not in (None, "query"):
        return "invalid_request", "response_mode is query"
    if one(query, "code_challenge_method") != pkce.METHOD:
        return "invalid_request", "code_challenge with code_challenge_method=S256 is needed"
    if not pkce.usable(one(query, "code_challenge") or ""):
        return "invalid_request", "code_challenge is not a SHA-256 in base64url"
    return None


def aimed(resource: str | None, origin: str, names: Container[str]) -> str | None:
    """What it is for; everything together where nothing is said. None: nothing of ours."""
    return AGGREGATE if resource is None else meant(resource, origin, names)


def unaimed(query: Query) -> bool:
    """Whether the request leaves open which server it is for."""
    return one(query, "resource") is None


def back(redirect_uri: str, origin: str, **parameters: str | None) -> str:
    """The URL of an authorization response. `iss` is in every one (RFC 9207)."""
    told = {name: value for name, value in parameters.items() if value is not None}
    joint = "&" if "?" in redirect_uri else "?"
    return redirect_uri + joint + urlencode({**told, "iss": origin})
