"""What a newcomer sees: a call that passes, a call that does not, and the records they leave."""

import json
import time
from collections.abc import Iterable
from typing import Any

import msgspec
from rich.text import Text

from torhaus.audit.line import read, text
from torhaus.cli.audit.records import Follower, directory
from torhaus.cli.call import words
from torhaus.cli.client import Client, GatewayError
from torhaus.cli.output import STYLES, columns, printable, say
from torhaus.config.load import Loaded
from torhaus.identity.keys import digest
from torhaus.model.people import Principal
from torhaus.policy.visible import visible

EVERY = 0.1
PATIENCE = 2.0
"""Seconds a record may take to reach the disk."""


class Example(msgspec.Struct, frozen=True):
    """One call worth showing."""

    server: str
    tool: str
    arguments: dict[str, Any]

    def __str__(self) -> str:
        return f"{self.server}.{self.tool} {json.dumps(self.arguments)}"


class _Answer(msgspec.Struct, frozen=True):
    """`operations`: those whose record belongs to it; where no session opens, no call is made."""

    word: str
    said: str
    style: str
    operations: tuple[str, ...]


READS = (
    Example("time", "get_current_time", {"timezone": "Europe/Berlin"}),
    Example("git", "git_status", {"repo_path": "."}),
)
WRITES = (Example("git", "git_commit", {"repo_path": ".", "message": "Try the gate"}),)


class Tour:
    """Calls through a running gateway, over HTTP, with a user's key."""

    def __init__(self, loaded: Loaded, url: str, key: str) -> None:
        self._servers = loaded.rules.servers
        self._url = url
        self._key = key
        self._follower = Follower(directory(loaded.settings.data_dir))
        self._follower.newest(0)
        self.principal: Principal | None = loaded.rules.keys.get(digest(key))

    def read(self) -> None:
        """Show a call that the rules allow."""
        example = self._first(READS, allowed=True)
        if example is not None:
            self._show("A call through the gate", example)

    def refused(self) -> None:
        """Show a call that the rules refuse. One that they would allow is never made."""
        example = self._first(WRITES, allowed=False)
        if example is not None:
            self._show("A call that the rules refuse", example)

    def watch(self) -> None:
        """Print every record that comes, for ever."""
        while True:
            for line in self._follower.more():
                record = read(line)
                if record is not None:
                    say(text(record))
            time.sleep(EVERY)

    def _first(self, examples: Iterable[Example], *, allowed: bool) -> Example | None:
        who = self.principal
        for each in examples:
            server = self._servers.get(each.server)
            if who is None or server is None:
                continue
            access = who.phase(time.time()).on(server.name)
            if visible(access, server, each.tool, {}) is allowed:
                return each
        return None

    def _show(self, title: str, example: Example) -> None:
        answer = self._made(example)
        rows: list[list[str | Text]] = [
            [Text("request", "dim"), str(example)],
            [Text(answer.word, "dim"), Text(printable(answer.said), STYLES[answer.style])],
            [Text("audit", "dim"), self._record(example.server, answer.operations)],
        ]
        say(Text(title, "bold"))
        say(columns(rows, indent=2))
        say()

    def _made(self, example: Example) -> _Answer:
        try:
            with Client(self._url, example.server, self._key) as client:
                result = client.call(example.tool, example.arguments)
        except GatewayError as error:
            return _Answer("answer", str(error), "fail", (example.tool, "initialize"))
        said = _on_one_line(words(result))
        if result.get("isError") is True:
            return _Answer("refused", said, "refused", (example.tool,))
        return _Answer("answer", said, "pass", (example.tool,))

    def _record(self, server: str, operations: tuple[str, ...]) -> str:
        """The record of the call, which may take a moment to be on disk."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for line in self._follower.more():
                record = read(line)
                if record and record.mcp_server == server and record.operation in operations:
                    return text(record)
            time.sleep(EVERY)
        return "(none: the call never reached the gate)"


def _on_one_line(answer: str) -> str:
    try:
        return json.dumps(json.loads(answer), ensure_ascii=False)
    except (ValueError, RecursionError):
        return " ".join(answer.split())
