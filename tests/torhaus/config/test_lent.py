"""Servers that a file speaks of and does not configure."""

import pytest

from torhaus.config.lent import lend
from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.config.source import read

BLOCK = "github:\n  developer:\n    allow: [read:repos]\nroles: {developer: {}}\n"


def test_a_block_of_a_well_known_server_waits_for_it() -> None:
    loaded = load_text(BLOCK, "x.yml", {})

    assert loaded.rules.servers == {}
    assert any("no server 'github' is configured" in each.message for each in loaded.warnings)


def test_a_block_of_nobody_is_a_mistake() -> None:
    with pytest.raises(ConfigError, match="unknown key 'githab'"):
        load_text(BLOCK.replace("github:", "githab:"), "x.yml", {})


def test_servers_are_lent_where_only_rules_matter() -> None:
    loaded = load_text(BLOCK, "x.yml", {}, lending=["firebase:production", "nonsense"])

    assert loaded.lent == ("firebase", "github")
    assert loaded.rules.servers["firebase"].environment == "production"
    assert loaded.rules.servers["github"].classes


def test_what_is_configured_is_not_lent() -> None:
    text = BLOCK + "mcpServers: {github: {url: 'https://github.example/mcp'}}\n"

    assert load_text(text, "x.yml", {}, lending=["github"]).lent == ()


@pytest.mark.parametrize("text", ["[]", "mcpServers: 7"])
def test_a_file_of_another_shape_is_left_to_the_schema(text: str) -> None:
    assert lend(read(text, "x.yml"), ["github"]) == []
