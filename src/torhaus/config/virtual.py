"""The shapes of `virtual_servers` and `aggregate`."""

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from torhaus.config.amounts import Seconds, between
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line
from torhaus.model.views import PREFIX

META_TOOLS = frozenset(("search_tools", "describe_tools", "call_tool"))
"""Names of the gateway's own tools, where tools are searched for."""
OLD_TRANSPORT = "sse"
"""How addresses of HTTP+SSE end, /mcp/sse too."""


def _slug(value: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9-]{0,62}", value) is None:
        raise FaultError("this is not a virtual server's name", "use a-z, 0-9 and -")
    refuse_taken(value)
    return value


def refuse_taken(name: str) -> None:
    """Raises FaultError where the name would stand for another address."""
    if name == OLD_TRANSPORT:
        raise FaultError(
            "/mcp/sse is the address of all servers by HTTP+SSE", "choose another name"
        )


def _name(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", value) is None:
        raise FaultError("this is not a tool's name", "use at most 64 letters, digits and _ . -")
    if "__" in value:
        raise FaultError("a new name must not look like SERVER__TOOL", "write a single _")
    if value in META_TOOLS:
        raise FaultError("a tool of the gateway itself is called that", "choose another name")
    return value


def _prefix(value: str) -> str:
    if re.fullmatch(r"[A-Za-z0-9_.-]{0,60}", value) is None:
        raise FaultError(
            "this is no prefix of a tool's name", "use at most 60 letters, digits and _ . -"
        )
    return value


Slug = Annotated[str, AfterValidator(_slug)]
NewName = Annotated[str, AfterValidator(_name)]
ClientPrefix = Annotated[str, AfterValidator(_prefix)]
Arguments = Annotated[dict[Line, Any], Field(min_length=1)]


class AggregateSpec(Shape):
    """All servers at one address, /mcp, and lists of virtual servers."""

    deadline: Annotated[Seconds, between(0.1, 60, "0.1 s to 60 s")] = 3.0
    """How long a list waits for servers that do not answer."""
    fresh: Annotated[Seconds, between(0, 3600, "0 s to 1 h")] = 15.0
    """How long a list is believed whose server does not say."""
    discovery: Literal["full", "search"] = "full"
    """Whether `/mcp` lists all tools, or three that search, describe and call them."""
    aliases: dict[NewName, Line] = Field(default_factory=dict)
    """A shorter name at `/mcp` -> the SERVER__TOOL that has it."""
    client_prefix: ClientPrefix = PREFIX
    """What clients write before a tool's name; it counts into the 64 characters models take."""


class VirtualServerSpec(Shape):
    """Some things of some servers, at an address of their own."""

    description: Line | None = None
    """What it is for, for clients too."""
    instructions: str | None = None
    """What models are told, instead of the servers' own instructions."""
    servers: tuple[Line, ...] = ()
    """Servers that are in it as a whole."""
    tools: tuple[Line, ...] = ()
    """Tools, as SERVER__TOOL; * and ? stand in."""
    prompts: tuple[Line, ...] = ()
    """Prompts, as SERVER__PROMPT; * and ? stand in."""
    resources: tuple[Line, ...] = ()
    """Resources, as SERVER+URI; * and ? stand in for what is between two slashes."""
    rename: dict[Line, NewName] = Field(default_factory=dict)
    """SERVER__TOOL -> the name it has here."""
    fixed: dict[Line, Arguments] = Field(default_factory=dict)
    """SERVER__TOOL -> arguments that every call has, and that callers neither see nor give."""
    discovery: Literal["full", "search"] = "full"
    """Whether it lists all its tools, or three that search, describe and call them."""
