"""Which shipped table describes a server."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from torhaus.model.servers import ToolClass
from torhaus.policy.known import github, reference, sentry
from torhaus.policy.names import normal


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """`names`: what people call the server; `hosts`: it, or any name below it, serves it.

    `packages`: what a command line calls it, as `npx` and `uvx` do.
    """

    tools: Mapping[str, ToolClass]
    names: tuple[str, ...]
    hosts: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    parents: Mapping[str, str] = {}


TABLES = (
    Table(
        tools=github.TOOLS,
        names=("github",),
        hosts=("mcp.github.com", "githubcopilot.com", "ghe.com"),
        packages=("github-mcp-server",),
        parents=github.PARENTS,
    ),
    Table(
        tools=sentry.TOOLS,
        names=("sentry",),
        hosts=("mcp.sentry.dev", "mcp.sentry.io"),
        packages=("@sentry/mcp-server",),
    ),
    Table(tools=reference.TIME, names=("time",), packages=("mcp-server-time",)),
    Table(
        tools=reference.GIT,
        names=("git",),
        packages=("mcp-server-git",),
        parents=reference.GIT_PARENTS,
    ),
    Table(
        tools=reference.FILESYSTEM,
        names=("filesystem", "files"),
        packages=("@modelcontextprotocol/server-filesystem",),
    ),
    Table(
        tools=reference.MEMORY,
        names=("memory",),
        packages=("@modelcontextprotocol/server-memory",),
    ),
    Table(
        tools=reference.EVERYTHING,
        names=("everything",),
        packages=("@modelcontextprotocol/server-everything",),
    ),
)

# Of requests that are not tool calls: `resources/read`, `prompts/get`, `tasks/get`.
METHOD_TYPES = frozenset({"resources", "prompts", "tasks"})

TYPES = METHOD_TYPES | {
    word for table in TABLES for row in table.tools.values() for word in (row.type,) if word != "*"
}


# `@1.2`, `==1.2`, `[extra]`, `:tag`
_VERSION = re.compile(r"[@=:\[<>~!]")


def shipped(
    server_name: str, url: str | None, command: str | None = None, args: Sequence[str] = ()
) -> tuple[Mapping[str, ToolClass], Mapping[str, str]]:
    """Tool classes by normal name, and the types' parents. Both empty for an unknown server.

    The URL's host decides first, or the package that a command line starts: they say what the
    server is, its name only what people call it.
    """
    table = (
        (url is not None and _by_host(url))
        or (command is not None and _by_package(command, args))
        or _by_name(server_name)
    )
    if not table:
        return {}, {}
    return {normal(name): row for name, row in table.tools.items()}, dict(table.parents)


def _by_host(url: str) -> Table | None:
    host = (urlsplit(url).hostname or "").rstrip(".")
    return next((t for t in TABLES if any(_within(host, h) for h in t.hosts)), None)


def _within(host: str, zone: str) -> bool:
    return host == zone or host.endswith("." + zone)


def _by_package(command: str, args: Sequence[str]) -> Table | None:
    """The first word of a command line that names a package we know, or the URL it bridges to."""
    for word in map(_package, (command, *args)):
        for table in TABLES:
            if word in table.packages:
                return table
    # npx mcp-remote https://mcp.atlassian.com/v1/mcp
    urls = (arg for arg in args if arg.startswith("https://"))
    return next((table for table in map(_by_host, urls) if table is not None), None)


def _package(word: str) -> str:
    """The package in `@playwright/mcp@latest`, `mcp_server_git`, `ghcr.io/org/mcp:v1`, a path."""
    _, installed, name = word.lower().replace("\\", "/").rpartition("node_modules/")
    parts = name.removesuffix(".exe").split("/")
    if name.startswith("@"):
        scope, *rest = parts
        return f"{scope}/{_VERSION.split(rest[0] if rest else '')[0]}"
    return _VERSION.split(parts[0 if installed else -1])[0].replace("_", "-")


def _by_name(name: str) -> Table | None:
    return next((t for t in TABLES if normal(name) in t.names), None)
