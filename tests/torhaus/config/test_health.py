"""`mcpServers.NAME.health`."""

import pytest

from torhaus.config.load import load_text
from torhaus.config.problems import ConfigError
from torhaus.model.health import USUAL, Upkeep

TOP = "mcpServers:\n  github:\n    url: https://mcp.example.org/mcp\n"


def upkeep(text: str) -> Upkeep:
    return load_text(TOP + text, "t.yml", {}).rules.servers["github"].health


def test_without_a_word_it_is_the_usual() -> None:
    assert upkeep("") == USUAL
    assert upkeep("    health: {}\n") == USUAL


def test_every_key_has_its_effect() -> None:
    keys = "failures: 3, wait: 500ms, longest_wait: 5m, probe: false, interval: 30s, timeout: 2"

    assert upkeep(f"    health: {{{keys}, slow: 1.5s}}\n") == Upkeep(
        failures=3, wait=0.5, longest=300.0, probe=False, interval=30.0, timeout=2.0, slow=1.5
    )


def test_off_is_off() -> None:
    found = upkeep("    health: {failures: off, interval: off, slow: 'off'}\n")

    assert (found.failures, found.interval, found.slow) == (0, 0.0, 0.0)


@pytest.mark.parametrize(
    ("health", "words"),
    [
        ("{failures: -1}", "out of range"),
        ("{failures: 1001}", "out of range"),
        ("{interval: 100ms}", "interval is too short"),
        ("{timeout: 2m}", "out of range"),
        ("{wait: 10s, longest_wait: 5s}", "longest_wait is shorter than wait"),
        ("{intervall: 5s}", "interval"),
        ("off", ""),
    ],
)
def test_a_mistake_is_named_with_its_line(health: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        upkeep(f"    health: {health}\n")

    (problem,) = caught.value.problems
    assert problem.line == 4
    assert words in problem.message + problem.fix
