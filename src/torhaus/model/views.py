"""Several servers under one address: which of their things, and under which names."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import msgspec

from torhaus.model.access import Glob


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
    `renamed`: (server, tool) -> the name it has here. `fixed`: (server, tool as `names.normal`
    writes it) -> arguments that are not the caller's to give.
    A view narrows what its caller may use, and allows nothing by itself.
    """

    name: str = ""
    description: str = ""
    instructions: str = ""
    picks: Mapping[str, Pick] | None = None
    renamed: Mapping[tuple[str, str], str] = {}
    fixed: Mapping[tuple[str, str], Mapping[str, Any]] = {}

    def pick(self, server: str) -> Pick | None:
        """What it shows of this server; None for a server that is no part of it."""
        return WHOLE if self.picks is None else self.picks.get(server)


EVERYTHING = View()
ALONE: Mapping[str, View] = MappingProxyType({"": EVERYTHING})
"""The views of a configuration without any of its own."""


class Aggregation(msgspec.Struct, frozen=True, kw_only=True):
    """How lists of many servers are made.

    `deadline`: seconds a list waits for the servers it is made of. `fresh`: seconds for which a
    list is believed whose server does not say. `page`: items of one page.
    """

    deadline: float = 3.0
    fresh: float = 15.0
    page: int = 1000
