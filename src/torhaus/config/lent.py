"""Servers that a file speaks of and does not configure, lent for thinking about its rules."""

from collections.abc import Iterable

from torhaus.config.tree import Node, Source
from torhaus.policy.names import normal
from torhaus.policy.tables import TABLES

SHIPPED = frozenset(name for table in TABLES for name in table.names)
"""Normal names of servers whose tools a shipped table knows."""

NOWHERE = "http://server.invalid/mcp"  # RFC 2606: never anybody's


def is_shipped(name: str) -> bool:
    return normal(name) in SHIPPED


def lend(source: Source, names: Iterable[str]) -> list[str]:
    """Add servers of shipped tables that have rules in the file, or are among `names`.

    `firebase:production` is the server with its environment. Returns what was added.
    """
    root = source.root.value
    if not isinstance(root, dict):
        return []
    servers = root.setdefault("mcpServers", Node(1, {}))
    if not isinstance(servers.value, dict):
        return []
    asked = [*names, *(key for key in root if is_shipped(key))]
    lent = []
    for text in asked:
        name, _, environment = text.partition(":")
        if name in servers.value or not is_shipped(name):
            continue
        known = {"url": NOWHERE, **({"environment": environment} if environment else {})}
        servers.value[name] = Node(1, {key: Node(1, value) for key, value in known.items()})
        lent.append(name)
    return lent
