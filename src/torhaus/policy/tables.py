"""Which shipped table describes a server."""

import re
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import msgspec

from torhaus.model.servers import ToolClass
from torhaus.policy.known import (
    atlassian,
    browser,
    firebase,
    github,
    github_old,
    gitlab,
    gitlab_own,
    postgres,
    reference,
    sentry,
    slack,
)
from torhaus.policy.names import normal, words


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """`title`: whose tools these are. `names`: what people call the server.

    `hosts`: it, or any name below it, serves it; `paths`: where others' hosts serve it.
    `packages`: what a command line calls it, as `npx` and `uvx` do.
    """

    title: str
    tools: Mapping[str, ToolClass]
    names: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    parents: Mapping[str, str] = {}


TABLES = (
    Table(
        title="github",
        tools={**github_old.TOOLS, **github.TOOLS},
        names=("github",),
        hosts=("mcp.github.com", "githubcopilot.com", "ghe.com"),
        packages=("github-mcp-server", "@modelcontextprotocol/server-github"),
        parents=github.PARENTS,
    ),
    Table(
        title="sentry",
        tools=sentry.TOOLS,
        names=("sentry",),
        hosts=("mcp.sentry.dev", "mcp.sentry.io"),
        packages=("@sentry/mcp-server",),
    ),
    Table(
        title="gitlab",
        tools=gitlab.TOOLS,
        names=("gitlab",),
        packages=("@zereight/mcp-gitlab", "@modelcontextprotocol/server-gitlab"),
        parents=gitlab.PARENTS,
    ),
    Table(
        title="gitlab_own",
        tools=gitlab_own.TOOLS,
        names=("gitlabown",),
        hosts=("gitlab.com",),
        paths=("/api/v4/mcp",),
        parents=gitlab_own.PARENTS,
    ),
    Table(
        title="atlassian",
        tools=atlassian.TOOLS,
        names=("atlassian", "jira", "confluence", "rovo"),
        hosts=("mcp.atlassian.com",),
        packages=("mcp-atlassian",),
        parents=atlassian.PARENTS,
    ),
    Table(
        title="slack",
        tools=slack.TOOLS,
        names=("slack",),
        hosts=("mcp.slack.com",),
        packages=("@modelcontextprotocol/server-slack", "slack-mcp-server"),
        parents=slack.PARENTS,
    ),
    Table(
        title="firebase",
        tools=firebase.TOOLS,
        names=("firebase",),
        packages=("firebase-tools", "firebase"),
        parents=firebase.PARENTS,
    ),
    Table(
        title="postgres",
        tools=postgres.TOOLS,
        names=("postgres", "postgresql", "pg"),
        packages=("@modelcontextprotocol/server-postgres", "postgres-mcp"),
    ),
    Table(
        title="puppeteer",
        tools=browser.PUPPETEER,
        names=("puppeteer",),
        packages=("@modelcontextprotocol/server-puppeteer",),
    ),
    Table(
        title="playwright",
        tools=browser.PLAYWRIGHT,
        names=("playwright", "browser"),
        packages=("@playwright/mcp", "mcp-server-playwright"),
    ),
    Table(title="time", tools=reference.TIME, names=("time",), packages=("mcp-server-time",)),
    Table(title="fetch", tools=reference.FETCH, names=("fetch",), packages=("mcp-server-fetch",)),
    Table(
        title="git",
        tools=reference.GIT,
        names=("git",),
        packages=("mcp-server-git",),
        parents=reference.GIT_PARENTS,
    ),
    Table(
        title="filesystem",
        tools=reference.FILESYSTEM,
        names=("filesystem", "files"),
        packages=("@modelcontextprotocol/server-filesystem",),
    ),
    Table(
        title="memory",
        tools=reference.MEMORY,
        names=("memory",),
        packages=("@modelcontextprotocol/server-memory",),
    ),
    Table(
        title="everything",
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
        (url is not None and _by_url(url))
        or (command is not None and _by_package(command, args))
        or _by_name(server_name)
    )
    if not table:
        return {}, {}
    return {normal(name): row for name, row in table.tools.items()}, dict(table.parents)


def _by_url(url: str) -> Table | None:
    parts = urlsplit(url)
    host, path = (parts.hostname or "").rstrip("."), parts.path.rstrip("/")
    for table in TABLES:
        if any(_within(host, zone) for zone in table.hosts):
            return table
    return next((t for t in TABLES if any(path.endswith(end) for end in t.paths)), None)


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
    return next((table for table in map(_by_url, urls) if table is not None), None)


def _package(word: str) -> str:
    """The package in `@playwright/mcp@latest`, `mcp_server_git`, `ghcr.io/org/mcp:v1`, a path."""
    _, installed, name = word.lower().replace("\\", "/").rpartition("node_modules/")
    parts = name.removesuffix(".exe").split("/")
    if name.startswith("@"):
        scope, *rest = parts
        return f"{scope}/{_VERSION.split(rest[0] if rest else '')[0]}"
    return _VERSION.split(parts[0 if installed else -1])[0].replace("_", "-")


def _by_name(name: str) -> Table | None:
    """`github-mcp` and `mcp-server-git` are called by what remains."""
    core = "".join(word for word in words(name) if word not in ("mcp", "server"))
    return next((t for t in TABLES if core in t.names or normal(name) in t.names), None)
