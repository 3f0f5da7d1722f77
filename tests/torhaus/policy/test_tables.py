import re

import pytest

from torhaus.policy.known.spec import ACTIONS
from torhaus.policy.names import normal
from torhaus.policy.tables import TABLES, TYPES, Table, shipped

GITHUB, SENTRY = 117, 54


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
