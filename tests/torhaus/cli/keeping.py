"""A gateway that keeps answers, counts calls and knows what they cost."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import CONFIG, KEY, Said, Warm, configured, torhaus

OWNER = "olga-secret-key-def456"
STORES = """
caching:
  git:
    git_status: {ttl: 1h}
cache_invalidation:
  - {trigger: git.git_commit, invalidate: git.git_status}
cost_tracking:
  - {provider: git, cost_per_api_call: 0.25 €, monthly_budget: 2 €, hard_stop: true}
limits:
  - {name: team, per: total, requests: 100, window: 1h}
"""


@contextmanager
def keeping(home: Path, text: str = CONFIG + STORES) -> Iterator[Gate]:
    configured(home, text)
    with Warm("serve", "--port", "0", at=home) as running:
        yield Gate(running, home)
        assert running.stop() == 0, running.err


def said(gate: Gate, *words: str, key: str = OWNER) -> Said:
    return torhaus(*words, at=gate.home, env={"TORHAUS_KEY": key, "TORHAUS_URL": gate.url})


def status(gate: Gate, repo: str, key: str = KEY) -> None:
    """One call that reads."""
    args = ("--args", json.dumps({"repo": repo}), "--url", gate.url)
    done = said(gate, "call", "git", "git_status", *args, key=key)
    assert done.code == 0, done.err
