"""A gateway with an administrator, for the commands about people."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import CONFIG, Said, Warm, configured, torhaus

ADMIN = "adam-secret-key-jkl012"
MORE = f"""
  - {{email: adam@example.com, role: admin, api_keys: [{ADMIN}]}}
roles:
  admin: {{permissions: ["*"]}}
  reader: {{permissions: ["*:read"]}}
"""


@contextmanager
def office(home: Path) -> Iterator[Gate]:
    configured(home, CONFIG.rstrip() + MORE)
    with Warm("serve", "--port", "0", at=home) as running:
        yield Gate(running, home)
        assert running.stop() == 0, running.err


def run(gate: Gate, *words: str, key: str = ADMIN) -> Said:
    env = {"TORHAUS_KEY": key, "TORHAUS_URL": gate.url}
    return torhaus(*words, at=gate.home, env=env)
