"""Which shipped table describes a server."""

from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

from torhaus.model.servers import ToolClass
from torhaus.policy.known import github, reference, sentry
from torhaus.policy.names import normal


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """`names`: what people call the server; `hosts`: it, or any name below it, serves it."""

    tools: Mapping[str, ToolClass]
    names: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    parents: Mapping[str, str] = {}


TABLES = (
    Table(
        tools=github.TOOLS,
        names=("github",),
        hosts=("mcp.github.com", "githubcopilot.com", "ghe.com"),
        parents=github.PARENTS,
    ),
    Table(
        tools=sentry.TOOLS,
        names=("sentry",),
        hosts=("mcp.sentry.dev", "mcp.sentry.io"),
    ),
    Table(tools=reference.TIME, names=("time",)),
    Table(tools=reference.GIT, names=("git",), parents=reference.GIT_PARENTS),
    Table(tools=reference.FILESYSTEM, names=("filesystem", "files")),
    Table(tools=reference.MEMORY, names=("memory",)),
    Table(tools=reference.EVERYTHING, names=("everything",)),
)

# Of requests that are not tool calls: `resources/read`, `prompts/get`, `tasks/get`.
METHOD_TYPES = frozenset({"resources", "prompts", "tasks"})

TYPES = METHOD_TYPES | {
    word for table in TABLES for row in table.tools.values() for word in (row.type,) if word != "*"
}


def shipped(server_name: str, url: str | None) -> tuple[Mapping[str, ToolClass], Mapping[str, str]]:
    """Tool classes by normal name, and the types' parents. Both empty for an unknown server.

    The URL's host decides first: it says what the server is, its name only what people call it.
    """
    table = (url is not None and _by_host(url)) or _by_name(server_name)
    if not table:
        return {}, {}
    return {normal(name): row for name, row in table.tools.items()}, dict(table.parents)


def _by_host(url: str) -> Table | None:
    host = (urlsplit(url).hostname or "").rstrip(".")
    return next((t for t in TABLES if any(_within(host, h) for h in t.hosts)), None)


def _within(host: str, zone: str) -> bool:
    return host == zone or host.endswith("." + zone)


def _by_name(name: str) -> Table | None:
    return next((t for t in TABLES if normal(name) in t.names), None)
