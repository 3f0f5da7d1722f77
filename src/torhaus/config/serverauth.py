"""The shape of a server's `auth`: the credential Torhaus presents to it."""

from collections.abc import Mapping
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, model_validator

from torhaus.config.oauthkeys import OAuthKeys, unfit
from torhaus.config.problems import FaultError
from torhaus.config.texts import HeaderName, HeaderValue, Line, Token

# What the gate sets itself on the way to a server, or what would break the framing.
_OURS = frozenset(
    {"host", "connection", "keep-alive", "upgrade", "te", "trailer", "expect"}
    | {"content-length", "content-type", "content-encoding", "transfer-encoding"}
    | {"accept", "accept-encoding", "last-event-id"}
)


def _free(name: str) -> str:
    low = name.lower()
    if low in _OURS or low.startswith(("mcp-", "proxy-")):
        raise FaultError("Torhaus sets this header itself", "remove it")
    return name


FreeHeader = Annotated[HeaderName, AfterValidator(_free)]

_PARTS: Mapping[str, frozenset[str]] = {
    "bearer": frozenset({"token"}),
    "basic": frozenset({"username", "password"}),
    "header": frozenset({"name", "value"}),
    "stored": frozenset(),
    "oauth": frozenset(),
}


class ServerAuth(OAuthKeys):
    """The credential Torhaus presents to the server. Clients never see it."""

    type: Literal["bearer", "basic", "header", "stored", "oauth"]
    """`bearer`: a token; `basic`: user and password; `header`: any one header field; `stored`: what
    `torhaus secrets put` has stored for it; `oauth`: tokens that Torhaus gets."""
    token: Token | None = None
    """For bearer. Best as ${NAME}."""
    token_file: Line | None = None
    """For bearer: a file that holds the token."""
    username: HeaderValue | None = None
    """For basic."""
    password: HeaderValue | None = None
    """For basic."""
    password_file: Line | None = None
    """For basic: a file that holds the password."""
    name: FreeHeader | None = None
    """For header: the field's name, such as X-API-Key."""
    value: HeaderValue | None = None
    """For header: the field's value."""
    value_file: Line | None = None
    """For header: a file that holds the value."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = _PARTS[self.type]
        every = frozenset[str]().union(*_PARTS.values())
        given = {part for part in every if getattr(self, part)}
        if needed - given:
            missing = " and ".join(sorted(needed - given))
            raise FaultError(f"type: {self.type} needs {missing}", f"add {missing}")
        ours = self.model_fields_set & set(OAuthKeys.model_fields)
        extra = (given - needed) | (set() if self.type == "oauth" else ours)
        if extra:
            words = " and ".join(sorted(extra))
            raise FaultError(f"type: {self.type} does not use {words}", f"remove {words}")
        if self.username is not None and ":" in self.username.get_secret_value():
            raise FaultError("a basic user name cannot hold a colon (RFC 7617)", "use another user")
        if self.type == "oauth" and (fault := unfit(self)) is not None:
            raise fault
        return self

    @property
    def header(self) -> str:
        """The header field that carries it."""
        return self.name or "Authorization"
