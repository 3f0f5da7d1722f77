"""Several servers under one address: which of their things, and under which names."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import msgspec

from torhaus.model.access import Glob

PREFIX = "mcp__torhaus__"
"""What Claude Code writes before a name, where it knows the gateway as `torhaus`."""


class Discovery(StrEnum):
    """How clients learn of tools: by the whole list, or by asking for what they need."""

    FULL = "full"
    SEARCH = "search"


class Pick(msgspec.Struct, frozen=True, kw_only=True):
    """What a view shows of one server: patterns over the server's own names; None for all.

    A resource is known by its URI.
    """

    tools: tuple[Glob, ...] | None = ()
    prompts: tuple[Glob, ...] | None = ()
    resources: tuple[Glob, ...] | None = ()


WHOLE = Pick(tools=None, prompts=None, resources=None)


class View(msgspec.Struct, frozen=True, kw_only=True):
    """What stands at `/mcp/{name}`; the empty name is the aggregate of everything, at `/mcp`.

    `picks`: server -> what of it; None shows every server as a whole.
    `renamed`: (server, tool) -> the only name it has here. `aliases`: the same, beside the long
    name, which goes on working. `fixed`: (server, tool as `names.normal`
    writes it) -> arguments that are not the caller's to give.
    `discovery`: what its list of tools holds.
    A view narrows what its caller may use, and allows nothing by itself.
    """

    name: str = ""
    description: str = ""
    instructions: str = ""
    picks: Mapping[str, Pick] | None = None
    renamed: Mapping[tuple[str, str], str] = {}
    aliases: Mapping[tuple[str, str], str] = {}
    fixed: Mapping[tuple[str, str], Mapping[str, Any]] = {}
    discovery: Discovery = Discovery.FULL

    @property
    def searched(self) -> bool:
        """Whether its tools are not listed but searched for."""
        return self.discovery is Discovery.SEARCH

    def pick(self, server: str) -> Pick | None:
        """What it shows of this server; None for a server that is no part of it."""
        return WHOLE if self.picks is None else self.picks.get(server)


EVERYTHING = View()
ALONE: Mapping[str, View] = MappingProxyType({"": EVERYTHING})
"""The views of a configuration without any of its own."""


class Aggregation(msgspec.Struct, frozen=True, kw_only=True):
    """How lists of many servers are made.

    `deadline`: seconds a list waits for the servers it is made of. `fresh`: seconds for which a
    list is believed whose server does not say. `page`: items of one page. `prefix`: what clients
    write before a tool's name.
    """

    deadline: float = 3.0
    fresh: float = 15.0
    page: int = 1000
    prefix: str = PREFIX
