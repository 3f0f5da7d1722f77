"""A gate in front of a quick server, fresh for each test."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients import upstreams
from tests.clients.gateway import Gateway
from tests.clients.running import Process, Program

KEY = "soak-key-91be03f7c25d4a6e8b10"
HEADERS = {"apikey": KEY}
CONFIG = """
users:
  - email: alice@example.com
    role: developer
    api_keys: ["${{SOAK_KEY}}"]

accessControl:
  - role: developer
    allow: [echo.*, pipe.*, quick.*]

audit_logs:
  durability: durable

mcpServers:
  echo:
    url: http://127.0.0.1:{port}/mcp
  pipe:
    command: {command}
    args: ["{script}", "stdio"]
  quick:
    command: {command}
    args: ["-I", "-S", "{quick}"]
    sharing: session
"""


class Alone(Gateway):
    """Shares no memory with another process: how much it has is looked at."""

    def launch(self) -> Process:
        return Program.launch(self)


@pytest.fixture
def gateway(tmp_path: Path) -> Iterator[Gateway]:
    command, script, _ = upstreams.tickets_stdio()
    with upstreams.echo(tmp_path) as server:
        config = CONFIG.format(
            port=server.port, command=command, script=script, quick=upstreams.QUICK
        )
        with Alone(config, tmp_path / "gateway", {"SOAK_KEY": KEY}) as running:
            yield running
