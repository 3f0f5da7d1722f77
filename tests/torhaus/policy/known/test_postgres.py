import pytest

from tests.torhaus.policy.known.evidence import differences, offered
from torhaus.policy.known.postgres import TOOLS


def test_every_tool_is_the_servers_own() -> None:
    assert list(differences(TOOLS, "postgres_reference", "postgres_mcp")) == []


@pytest.mark.parametrize("tool", sorted(offered("postgres_reference", "postgres_mcp")))
def test_whatever_takes_sql_executes(tool: str) -> None:
    arguments = offered("postgres_reference", "postgres_mcp")[tool] or {}

    assert (TOOLS[tool].actions == {"execute"}) or not {"sql", "queries"} & set(arguments)
