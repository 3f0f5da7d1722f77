"""What one call makes the interpreter do: function calls of a full call, of a hit, of a decision.

`full` comes with a key, `token` is the same with an access token, as clients have that signed in.
`python -m bench.effort`. Time depends on the machine and on who else uses it; how many functions
are called, Python's and C's, does not. One gateway in this process, real requests over loopback;
its thread alone is counted, from one request to the next. Exit 1 when one takes more than `MOST`.
"""

import argparse
import json
import logging
import os
import random
import signal
import socket
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack, suppress
from pathlib import Path
from threading import Thread
from types import FrameType
from typing import Any

import msgspec
import structlog
import uvloop
from tests.stories.upstream import Talk, Upstream

from bench.decide import Size, calls, configuration
from torhaus import app
from torhaus.config.load import load_text
from torhaus.edge.wire import Lane
from torhaus.identity.keys import ACCESS, digest, mint
from torhaus.model.credentials import Credential, CredentialKind, Family, FamilyKind
from torhaus.policy.decide import decide
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice

KEY = "bench-key-0123456789abcdef0123456789"
TOKEN = mint(b"t" * 32, ACCESS)
PERSON = "bench@example.com"
NOW = 1_790_000_000.0
WARM, COUNTED = 40, 61
"""Requests before the counting, and those that are counted."""
PAYLOAD = "x" * 512
SMALL, DECISIONS = Size(users=200, roles=40, blocks=60), 500
KINDS = ("full", "token", "hit", "decision")
MOST = {"full": 202, "token": 202, "hit": 85, "decision": 73.3}
"""What each took when somebody last looked (Python 3.11). A token costs what a key costs."""
MARGIN = 1.02
VERSION = "2025-06-18"
FIRST = Lane.data_received.__code__
"""Where a request begins."""


class Count:
    """A profile function. `each`: function calls from each request of the lane to the next."""

    def __init__(self) -> None:
        self.each: list[Counter[str]] = []
        self._now: Counter[str] = Counter()

    def __call__(self, frame: FrameType, event: str, what: Any) -> None:
        if event == "call":
            if frame.f_code is FIRST:
                self.next()
            self._now[frame.f_code.co_qualname] += 1
        elif event == "c_call":
            self._now[f"{what.__qualname__} in C"] += 1

    def next(self) -> None:
        self.each.append(self._now)
        self._now = Counter()


# -- requests ------------------------------------------------------------------------------------


def served(kind: str) -> list[Counter[str]]:
    """Serve the calls of one client. `kind`: all but decision. In the main thread, for signals."""
    count = Count()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))
    with ExitStack() as open_now:
        home = Path(open_now.enter_context(tempfile.TemporaryDirectory()))
        far = open_now.enter_context(Upstream({"get_note": note}, modern=False))
        sockets = open_now.enter_context(socket.create_server(("127.0.0.1", 0)))
        port = sockets.getsockname()[1]
        text = gateway(far.url, kind)
        loaded = load_text(text, "bench", {"BENCH_KEY": KEY}, home / "data")
        if kind == "token":
            uvloop.run(sign_in(home / "data"))
        client = Thread(target=ask, args=(port, kind), daemon=True)

        def ready(_link: str | None) -> None:
            sys.setprofile(count)
            client.start()

        path = home / "torhaus.yml"
        serving = app.serve(loaded, path, lambda: loaded, ready=ready, sockets=[sockets])
        open_now.callback(sys.setprofile, None)
        with suppress(SystemExit):
            uvloop.run(serving)
    return count.each


async def sign_in(data: Path) -> None:
    """An access token, as a client has it that somebody has let in."""
    database = Database(None, data)
    await database.open()
    whose = {"email": PERSON, "expires": time.time() + 3600}
    family = Family(id="con_1", kind=FamilyKind.CONSENT, audience="notes", **whose)
    token = Credential(
        digest=digest(TOKEN),
        id="tok_1",
        kind=CredentialKind.ACCESS,
        family=family.id,
        audience="notes",
        **whose,
    )
    try:
        async with StateOffice(database).write() as desk:
            await desk.families.add(family)
            await desk.credentials.add(token, "")
    finally:
        await database.close()


def gateway(url: str, kind: str) -> str:
    """A whole configuration, with key, policy, limit and audit for every call."""
    server: dict[str, Any] = {"url": url, "rateLimit": {"requests": 10**9, "window": 3600}}
    if kind == "hit":
        server["cache"] = {"ttl": 3600}
    user = {"email": PERSON, "role": "developer", "api_keys": ["${BENCH_KEY}"]}
    rules = {
        "users": [user],
        "accessControl": [{"role": "developer", "allow": ["notes.read"]}],
        "audit_logs": {"durability": "async", "flush": "20ms"},
        "mcpServers": {"notes": server},
    }
    return json.dumps(rules)


def note(talk: Talk) -> None:
    """What the server answers, as compact as most do."""
    content = [{"type": "text", "text": PAYLOAD}]
    message = {"jsonrpc": "2.0", "id": talk.id, "result": {"content": content}}
    talk.answer(msgspec.json.encode(message))


def ask(port: int, kind: str) -> None:
    """One call after the other, on one connection; then the gateway is told to stop."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=60) as line:
            client = Client(line, port, TOKEN if kind == "token" else KEY)
            about = {"name": "bench", "version": "1"}
            hello = {"protocolVersion": VERSION, "capabilities": {}, "clientInfo": about}
            client.send({"id": 0, "method": "initialize", "params": hello})
            client.send({"method": "notifications/initialized"})
            for number in range(1000, 1000 + WARM + COUNTED):
                text = "hello" if kind == "hit" else f"hello {number}"
                params = {"name": "get_note", "arguments": {"text": text}}
                body = client.send({"id": number, "method": "tools/call", "params": params})
                assert PAYLOAD.encode() in body, body
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


class Client:
    """Each message leaves in one packet, as it does from most clients."""

    def __init__(self, line: socket.socket, port: int, credential: str) -> None:
        self._line = line
        self._reader = line.makefile("rb")
        self._head = (
            f"POST /mcp/notes HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            f"Content-Type: application/json\r\nAuthorization: Bearer {credential}\r\n"
            "Accept: application/json, text/event-stream\r\n"
            f"MCP-Protocol-Version: {VERSION}\r\n"
        )
        self._session = ""

    def send(self, message: dict[str, Any]) -> bytes:
        """The body of the answer."""
        body = msgspec.json.encode({"jsonrpc": "2.0", **message})
        head = f"{self._head}{self._session}Content-Length: {len(body)}\r\n\r\n"
        self._line.sendall(head.encode() + body)
        self._reader.readline()
        headers: dict[str, str] = {}
        while line := self._reader.readline().decode().strip():
            name, _, headers[name.lower()] = line.partition(": ")
        if "mcp-session-id" in headers:
            self._session = f"Mcp-Session-Id: {headers['mcp-session-id']}\r\n"
        return self._reader.read(int(headers["content-length"]))


# -- decisions -----------------------------------------------------------------------------------


def decided() -> list[Counter[str]]:
    """Decide what `bench.decide` decides, of fewer people."""
    rng = random.Random(7)
    text = msgspec.json.encode(configuration(rng, SMALL)).decode()
    rules = load_text(text, "bench", {}, Path("data")).rules
    asked = list(calls(rules, rng, DECISIONS))
    for call in asked:  # what is worked out once for each person is there
        decide(call, NOW)
    count = Count()
    for call in asked:
        sys.setprofile(count)
        decide(call, NOW)
        sys.setprofile(None)
        count.next()
    return count.each


# -- the figures ---------------------------------------------------------------------------------


def effort(kind: str) -> dict[str, float]:
    """Function calls of one: of the request beside which nothing else ran, or on average."""
    if kind == "decision":
        total: Counter[str] = Counter()
        for each in decided():
            total.update(each)
        return {name: times / DECISIONS for name, times in total.items()}
    return dict(min(served(kind)[-COUNTED:-1], key=Counter.total))


def complaint(kind: str, calls: float) -> str | None:
    """What to do, where one takes more than it did."""
    if calls <= MOST[kind] * MARGIN:
        return None
    return (
        f"one {kind} makes {calls:g} function calls, {MOST[kind]} were written down. "
        f"`python -m bench.effort {kind} --most 80` names them, before and after: leave out what "
        "a snapshot of the rules could have done once, and what most calls do not need. If the "
        "rest is worth it, write the new figure into MOST in bench/effort.py, and why into the "
        "commit."
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kind", nargs="?", choices=KINDS, help="one of them alone")
    parser.add_argument("--most", type=int, default=0, help="name so many functions")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    kinds = KINDS if asked.kind is None else (asked.kind,)
    found = {kind: effort(kind) for kind in kinds}
    totals = {kind: round(sum(each.values()), 1) for kind, each in found.items()}
    if asked.json:
        print(json.dumps(totals))
        return 0
    for kind, each in found.items():
        print(f"{kind:8} {totals[kind]:6g} function calls, {MOST[kind]} were written down")
        for name, times in Counter(each).most_common(asked.most):
            print(f"  {times:8.2f}  {name}")
    wrong = [text for kind, number in totals.items() if (text := complaint(kind, number))]
    for text in wrong:
        print(f"FAIL {text}")
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
