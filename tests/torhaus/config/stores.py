"""Configurations about what is kept, counted and paid for, and what is wrong with them."""

import pytest

from tests.shared import BRIEF
from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.model.rules import Rules

WITH_BRIEF = pytest.mark.skipif(not BRIEF.exists(), reason="the product text is not here")

SERVERS = """\
mcpServers:
  github: {url: "https://mcp.github.com"}
  sentry: {url: "https://mcp.sentry.io"}
users: [{email: alice@example.org, role: developer, api_keys: [alice-secret-key-abc123]}]
roles: {developer: {permissions: [github:read, sentry:read]}}
"""
FIRST = SERVERS.count("\n") + 1
"""The line on which a test's own text begins."""


def printed(after: str, before: str) -> str:
    """What the product text prints between two lines."""
    return BRIEF.read_text().split(f"\n{after}\n", 1)[1].split(f"\n{before}\n", 1)[0] + "\n"


def rules(text: str, servers: str = SERVERS) -> Rules:
    return load_text(servers + text, "t.yml", {}).rules


def doubts(text: str) -> list[tuple[str, str, str]]:
    """Path, message and fix of every warning."""
    found = load_text(SERVERS + text, "t.yml", {}).warnings
    return [(each.path, each.message, each.fix) for each in found]


def mistake(text: str) -> tuple[int, str, str, str]:
    """Line (of `text`), path, message and fix of the only problem."""
    with pytest.raises(ConfigError) as caught:
        load_text(SERVERS + text, "t.yml", {})
    (problem,) = caught.value.problems
    return ((problem.line or 0) - FIRST + 1, problem.path, problem.message, problem.fix)
