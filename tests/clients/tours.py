"""Tours: every client does all it can with every kind of server, and what came of it."""

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.clients.callers import MODERN, PROGRAMS, run
from tests.clients.gateway import Gateway
from tests.clients.upstreams import HERE, NODE_CLIENTS
from tests.clients.warm import WarmProgram
from tests.ports import free_port
from tests.stories.upstream import within

TOURING = HERE / "servers" / "touring.py"
KEY = "alice-key-3f9c1d7b5a2e48069d1c"
LANES = 2
"""Tours at once: each lane has servers of its own, so that none hears what another one did."""
CONFIG = """
users:
  - email: alice@example.com
    role: developer
    api_keys: ["${ALICE_KEY}"]

accessControl:
  - role: developer
    allow: ["*"]

mcpServers:
"""
FEATURES = {
    "lists": "lists, calls, prompts, resources, templates",
    "completion": "completion",
    "progress": "progress",
    "logs": "log messages",
    "elicitation": "elicitation",
    "rounds": "three questions in one call",
    "sampling": "sampling",
    "roots": "roots",
    "cancelling": "cancelling a call",
    "list_changes": "`list_changed`",
    "updates": "`resources/updated`",
}
TARGETS = {
    "old": ("legacy", "HTTP"),
    "old-stdio": ("legacy", "stdio"),
    "old-sse": ("legacy", "HTTP+SSE"),
    "new": ("modern", "HTTP"),
    "new-stdio": ("modern", "stdio"),
}
"""Server -> its era, and how the gateway reaches it."""


@dataclass(frozen=True, slots=True)
class Tourist:
    """A client. `kind`: the program's; `mode`: `legacy`, `auto` or a modern revision."""

    kind: str
    mode: str
    product: str

    def __str__(self) -> str:
        return f"{self.kind}-{self.mode}"

    @property
    def old_transport(self) -> bool:
        return self.kind.endswith("sse")

    def era(self, server: str) -> str:
        """What it speaks with a server of this era: the gateway offers it both."""
        return "legacy" if self.mode == "legacy" or self.old_transport else "modern"


PYTHON, FAST, V1, V2 = (
    "`mcp` (Python)",
    "`fastmcp`",
    "`@modelcontextprotocol/sdk` 1",
    "`@modelcontextprotocol/client` 2",
)
TOURISTS = (
    Tourist("sdk", "legacy", PYTHON),
    Tourist("sdk", "auto", PYTHON),
    Tourist("sdk", MODERN, PYTHON),
    Tourist("fastmcp", "legacy", FAST),
    Tourist("fastmcp", "auto", FAST),
    Tourist("fastmcp", MODERN, FAST),
    Tourist("v1", "legacy", V1),
    Tourist("v2", "legacy", V2),
    Tourist("v2", "auto", V2),
    Tourist("v2", MODERN, V2),
    Tourist("sdk-sse", "legacy", PYTHON),
    Tourist("fastmcp-sse", "legacy", FAST),
    Tourist("v1-sse", "legacy", V1),
    Tourist("v2-sse", "auto", V2),
)
UNABLE = {
    ("fastmcp", "updates"): "`fastmcp` has no call for subscriptions to resources",
    ("fastmcp-modern", "list_changes"): "`fastmcp` has no call for `subscriptions/listen`",
    ("fastmcp-modern", "logs"): "`fastmcp` sends no log level with a request of 2026-07-28",
}
"""What a client itself cannot do, and why."""

Plan = Mapping[Tourist, Sequence[str]]
"""Client -> the targets it goes to."""
EVERYWHERE: Plan = {tourist: tuple(TARGETS) for tourist in TOURISTS}
SOME: Plan = {
    tourist: [tuple(TARGETS)[(number + step) % len(TARGETS)] for step in (0, 2)]
    for number, tourist in enumerate(TOURISTS)
}
"""Every client and every target: what each run of the tests can afford."""

Seen = Mapping[str, Mapping[str, str]]
"""Target -> feature -> `yes`, `unable`, or what went wrong."""


def cannot(tourist: Tourist, feature: str) -> str | None:
    """Why this client can do no such thing."""
    kind = tourist.kind.removesuffix("-sse")
    modern = f"{kind}-modern" if tourist.era("") == "modern" else ""
    return UNABLE.get((kind, feature)) or UNABLE.get((modern, feature))


@dataclass(frozen=True, slots=True)
class Journey:
    """A gateway with the servers of all lanes behind it."""

    gateway: Gateway
    node: str
    home: Path
    notes: Path

    def seen(self, plan: Plan) -> dict[Tourist, Seen]:
        """What the tourists saw where they were sent."""
        lanes = [list(plan)[number::LANES] for number in range(LANES)]
        with ThreadPoolExecutor(LANES) as pool:
            parts = pool.map(self._lane, range(LANES), lanes, [plan] * LANES)
        return {tourist: seen for part in parts for tourist, seen in part.items()}

    def _lane(self, lane: int, tourists: list[Tourist], plan: Plan) -> dict[Tourist, Seen]:
        return {each: self._tour(lane, each, plan[each]) for each in tourists}

    def _tour(self, lane: int, tourist: Tourist, where: Sequence[str]) -> Seen:
        python = [sys.executable, str(PROGRAMS / "tour_python.py")]
        script = [self.node, str(NODE_CLIENTS / f"tour_{tourist.kind[:2]}.mjs")]
        suffix = "/sse" if tourist.old_transport else ""
        targets = [
            [f"{tourist}-{target}", self.gateway.url(f"{target}-{lane}") + suffix]
            for target in where
        ]
        told = [tourist.kind, tourist.mode, "apikey", KEY, json.dumps(targets)]
        program = script if tourist.kind.startswith("v") else python
        seen = run([*program, *told], self.home)
        for target in where:
            name = f"{tourist}-{target}"
            if seen[name]["cancelling"] == "yes" and not within(60, lambda n=name: self._heard(n)):
                seen[name]["cancelling"] = "the server never heard of it"
        return {target: seen[f"{tourist}-{target}"] for target in where}

    def _heard(self, name: str) -> bool:
        return name in self.notes.read_text().split()


@contextmanager
def journey(node: str, home: Path) -> Iterator[Journey]:
    """Everything started."""
    notes = home / "cancelled"
    notes.touch()
    with ExitStack() as running:
        servers: dict[str, dict[str, object]] = {}
        for lane in range(LANES):
            at = {}
            for transport in ("http", "sse"):
                port = at[transport] = free_port()
                command = [sys.executable, str(TOURING), transport, str(port), str(notes)]
                log = home / f"{transport}-{lane}.log"
                running.enter_context(WarmProgram(command, port, log))
            url = f"http://127.0.0.1:{at['http']}/mcp"
            servers[f"old-{lane}"] = {"url": url, "era": "legacy"}
            servers[f"new-{lane}"] = {"url": url, "era": "modern"}
            servers[f"old-sse-{lane}"] = {"url": f"http://127.0.0.1:{at['sse']}/sse"}
            arguments = [str(TOURING), "stdio", str(notes)]
            stdio = {"command": sys.executable, "args": arguments}
            servers[f"old-stdio-{lane}"] = stdio
            servers[f"new-stdio-{lane}"] = {**stdio, "era": "modern"}
        entries = "".join(f"  {name}: {json.dumps(each)}\n" for name, each in servers.items())
        gateway = Gateway(CONFIG + entries, home / "gateway", {"ALICE_KEY": KEY})
        yield Journey(running.enter_context(gateway), node, home, notes)
