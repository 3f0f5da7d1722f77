import re

import pytest

from torhaus.policy.known.spec import ACTIONS
from torhaus.policy.names import normal
from torhaus.policy.tables import TABLES, TYPES, Table, shipped

GITHUB, SENTRY, GIT = 117, 54, 12


@pytest.mark.parametrize(
    ("name", "url", "tools"),
    [
        ("github", None, GITHUB),
        ("GitHub", None, GITHUB),
        ("sentry", None, SENTRY),
        ("work", "https://api.githubcopilot.com/mcp/", GITHUB),
        ("work", "https://mcp.sentry.dev/mcp/org/project", SENTRY),
        ("github", "https://MCP.sentry.io./mcp", SENTRY),
        ("github", "http://127.0.0.1:9000/mcp", GITHUB),
        ("time", None, 2),
        ("git", None, 12),
        ("filesystem", None, 14),
        ("memory", None, 9),
        ("everything", None, 19),
        ("work", "https://evil-githubcopilot.com/mcp", 0),
        ("work", "https://githubcopilot.com.evil.example/mcp", 0),
        ("work", "https://evil.example/mcp.github.com", 0),
        ("work", "https://mcp.github.com@evil.example/", 0),
        ("acme", None, 0),
    ],
)
def test_the_host_and_then_the_name_choose_the_table(
    name: str, url: str | None, tools: int
) -> None:
    classes, _ = shipped(name, url)

    assert len(classes) == tools


@pytest.mark.parametrize(
    ("command", "args", "tools"),
    [
        ("uvx", ["mcp-server-time"], 2),
        ("uvx", ["mcp-server-git==2026.10.19"], GIT),
        ("uv", ["run", "--with", "mcp-server-git[dev]>=2026", "x"], GIT),
        ("python", ["-m", "mcp_server_git", "--repository", "."], GIT),
        ("/opt/venv/bin/mcp-server-git", [], GIT),
        ("C:\\tools\\MCP-Server-Git.exe", [], GIT),
        ("npx", ["-y", "@modelcontextprotocol/server-memory@2026.8.31"], 9),
        ("node", ["/srv/node_modules/@modelcontextprotocol/server-memory/dist/index.js"], 9),
        ("docker", ["run", "-i", "ghcr.io/github/github-mcp-server:v1", "stdio"], GITHUB),
        ("npx", ["mcp-remote", "https://mcp.sentry.dev/mcp"], SENTRY),
        ("npx", ["mcp-remote", "https://evil.example/mcp.sentry.dev"], 0),
        ("npx", ["@evil/mcp-server-git"], 0),
        ("npx", ["@"], 0),
        ("node", ["/srv/mcp-server-git/server.js"], 0),
        ("sh", [], 0),
    ],
)
def test_a_command_line_says_by_its_package_which_server_it_starts(
    command: str, args: list[str], tools: int
) -> None:
    assert len(shipped("acme", None, command, args)[0]) == tools


def test_a_command_line_of_another_package_leaves_the_name_to_decide() -> None:
    assert len(shipped("git", None, "python", ["server.py"])[0]) == GIT
    assert len(shipped("git", None, "uvx", ["mcp-server-time"])[0]) == 2


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.names[0])
def test_every_row_uses_known_words(table: Table) -> None:
    for name, row in table.tools.items():
        assert row.actions <= ACTIONS, name
        assert row.actions or row.dispatch, name
        assert row.type in TYPES | {"*"}, name
        assert set(row.method_actions.values()) <= row.actions, name
        assert bool(row.method_actions) == (row.method_arg is not None), name
    assert set(table.parents) | set(table.parents.values()) <= TYPES


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.names[0])
def test_no_two_tools_of_a_table_share_a_normal_name(table: Table) -> None:
    assert len({normal(name) for name in table.tools}) == len(table.tools)


def test_the_pinned_patterns_are_regular_expressions() -> None:
    for table in TABLES:
        for row in table.tools.values():
            for _, pattern in row.pinned:
                re.compile(pattern)
