"""A real Torhaus in a process of its own, with its configuration, data and records."""

import json
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from tests.clients.running import Process, Program
from tests.clients.warm import Files, Forked
from tests.ports import free_port
from torhaus.audit.marks import is_record

HEALTH_SECONDS = 60.0


class Gateway(Program):
    """`torhaus serve` on a free loopback port, everything under `home`."""

    def __init__(self, config: str, home: Path, env: Mapping[str, str] | None = None) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self.home = home
        self.data = home / "data"
        self.file = home / "torhaus.yml"
        self.file.write_text(config)
        port = free_port()
        # fmt: off
        command = [
            sys.executable, "-m", "torhaus", "serve", "-c", str(self.file),
            "--host", "127.0.0.1", "--port", str(port), "--data-dir", str(self.data),
        ]
        # fmt: on
        super().__init__(command, port, home / "gateway.log", env)

    def launch(self) -> Process:
        words = self.command[self.command.index("serve") :]
        log = str(self.log)
        return Forked(["torhaus", *words], self.home, self.env, Files(out=log, err=log))

    def start(self) -> Self:
        super().start()
        deadline = time.monotonic() + HEALTH_SECONDS
        while not self.healthy():
            if time.monotonic() > deadline:
                self.kill()
                raise RuntimeError(f"not healthy:\n{self.output()[-3000:]}")
            time.sleep(0.05)
        return self

    def healthy(self) -> bool:
        page = self.get("/health")
        return page is not None and json.loads(page) == {"status": "healthy"}

    def url(self, server: str) -> str:
        return f"http://127.0.0.1:{self.port}/mcp/{server}"

    def get(self, path: str) -> str | None:
        """The body of a page, or None when the gate does not answer with success."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=60) as page:
                return str(page.read().decode())
        except (OSError, urllib.error.HTTPError):
            return None

    def records(self) -> list[dict[str, Any]]:
        """Every whole audit record on disk of what has ended, oldest first."""
        return [each for each in self.lines() if each.get("phase") != "intent"]

    def intents(self) -> list[dict[str, Any]]:
        """The records that calls have left before they went to their servers."""
        return [each for each in self.lines() if each.get("phase") == "intent"]

    def lines(self) -> list[dict[str, Any]]:
        """Every whole audit record on disk, oldest first."""
        segments = sorted((self.data / "audit" / "hot").glob("*.jsonl"))
        lines = [line for each in segments for line in each.read_bytes().split(b"\n")[:-1]]
        return [json.loads(line) for line in lines if is_record(line)]
