import pytest

from tests.torhaus.policy.known.evidence import differences
from torhaus.policy.known.build import table
from torhaus.policy.known.rovo import ROWS

TOOLS = table(ROWS)


def test_every_documented_tool_is_there() -> None:
    assert list(differences(TOOLS, "rovo")) == []


@pytest.mark.parametrize("tool", sorted(name for name in TOOLS if "Confluence" in name))
def test_whatever_is_in_confluence_hides_its_space(tool: str) -> None:
    assert TOOLS[tool].blind == {"projects"}


@pytest.mark.parametrize("tool", sorted(name for name in TOOLS if "itbucket" in name))
def test_whatever_is_in_bitbucket_hides_its_repository(tool: str) -> None:
    assert TOOLS[tool].blind == {"repos"}


def test_the_tool_that_runs_any_operation_needs_every_right() -> None:
    assert TOOLS["execute"].actions == {"read", "write", "delete", "admin", "execute"}
