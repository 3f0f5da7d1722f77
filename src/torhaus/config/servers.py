"""The shape of one entry of `mcpServers`."""

import re
from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, model_validator

from torhaus.config.access import Drift, DriftOrWord
from torhaus.config.addresses import Url
from torhaus.config.amounts import Seconds, Whole, between
from torhaus.config.caching import ToolKeeping
from torhaus.config.classification import Classification
from torhaus.config.health import Health
from torhaus.config.problems import FaultError
from torhaus.config.serverauth import FreeHeader, ServerAuth
from torhaus.config.shape import Shape
from torhaus.config.texts import HeaderValue, Line


def _variable(name: str) -> str:
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]{0,127}", name) is None:
        raise FaultError("this is not a variable's name", "use letters, digits and _")
    return name


Variable = Annotated[str, AfterValidator(_variable)]


class RateLimit(Shape):
    """Calls per user in any rolling window."""

    requests: Annotated[Whole, between(1, 1_000_000_000, "at least 1")]
    """How many calls."""
    window: Annotated[Seconds, between(0.001, 31536000, "between 1ms and 1y")]
    """In how much time, in seconds or as 1m, 1h."""
    count: Literal["upstream", "all"] = "upstream"
    """upstream: calls that reach the server; all: answers from the cache too."""


class ServerSpec(Shape):
    """One MCP server, by URL or as a command."""

    url: Url | None = None
    """Where the server is: streamable HTTP or HTTP+SSE."""
    command: Line | None = None
    """The program to start, for stdio. Looked up beside Torhaus's own Python, then in PATH."""
    args: tuple[str, ...] = ()
    """The command's arguments."""
    env: dict[Variable, SecretStr] = Field(default_factory=dict)
    """Environment variables for the command; it inherits only PATH, HOME and the like."""
    cwd: Line | None = None
    """The command's working directory, relative to this file."""
    transport: Literal["auto", "http", "sse"] = "auto"
    """How to talk to the URL. `auto` tries streamable HTTP, then HTTP+SSE."""
    era: Literal["auto", "legacy", "modern"] = "auto"
    """Which protocol family it speaks: sessions (legacy) or stateless (modern)."""
    headers: dict[FreeHeader, HeaderValue] = Field(default_factory=dict)
    """More header fields for the URL."""
    auth: ServerAuth | None = None
    """The credential for the URL."""
    ca_file: Line | None = None
    """Certificates to trust for the URL besides the system's, relative to this file."""
    cache: ToolKeeping | None = None
    """How answers of its reading tools are kept, where `caching` names none. Off unless given."""
    rateLimit: RateLimit | None = None  # noqa: N815 - the product text's spelling
    """None unless given."""
    timeout: Annotated[Seconds, between(0.1, 86400, "between 100ms and 24h")] = 300.0
    """Longest silence of the server during a call."""
    connect_timeout: Annotated[Seconds, between(0.1, 600, "between 100ms and 10m")] = 10.0
    """Longest wait for a connection."""
    parked_expiry: Annotated[Seconds, between(1, 3600, "between 1s and 1h")] = 600.0
    """How long a question of the server waits for a client of 2026-07-28 that must come back."""
    parked_limit: Annotated[Whole, between(1, 1000, "between 1 and 1000")] = 50
    """Calls of one user that may wait like that at the same time."""
    asks: tuple[Literal["elicitation", "roots", "sampling"], ...] | None = None
    """What it may ask the client: all, unless given, and no sampling where it is one of many."""
    environment: Line | None = None
    """Such as production; part of cache keys, and policies name it: firebase:production."""
    sharing: Literal["principal", "session", "shared"] = "principal"
    """Who shares one process or HTTP+SSE connection: each user, each session, or everyone."""
    idle: Annotated[Seconds, between(1, 604800, "between 1s and 7d")] = 600.0
    """A process without calls for this long is stopped."""
    health: Health = Health()
    """When it counts as down, and how it is looked after."""
    drift: DriftOrWord = Drift()
    """What happens to tools that the server has anew or otherwise than when they were pinned."""
    hide_denied: bool | None = None
    """Answers a refused tool as an unknown one; server.hide_denied without it."""
    classification: Classification | None = None
    """What its tools do, where the shipped table is silent or wrong."""
    later: ClassVar[Mapping[str, str]] = {
        "limits": "limits of one server here; limits has them, with servers",
        "price": "prices here; cost_tracking has them",
    }

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.url is None) == (self.command is None):
            raise FaultError("a server has a url or a command, one of the two", "give exactly one")
        wrong = self.model_fields_set & (_FOR_COMMAND if self.command is None else _FOR_URL)
        if wrong:
            way = "url" if self.command is None else "command"
            words = ", ".join(sorted(wrong))
            raise FaultError(f"a server with a {way} does not use {words}", f"remove {words}")
        names = [name.lower() for name in self.headers]
        if len(set(names)) < len(names):
            raise FaultError("two headers differ only in case", "keep one of them")
        if self.auth is not None and self.auth.header.lower() in names:
            raise FaultError("auth and headers set the same header", "keep one of them")
        return self


_FOR_COMMAND = frozenset({"args", "env", "cwd", "idle"})
_FOR_URL = frozenset({"transport", "headers", "auth", "ca_file"})
