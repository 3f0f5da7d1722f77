"""A real Chromium without a screen, driven by its debugging protocol."""

import itertools
import json
import shutil
import time
import urllib.request
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

from tests.clients.running import Program
from tests.ports import free_port

SECONDS = 60.0


class Chromium(Program):
    """`home`: where its profile is. `said`: what its console has said of pages."""

    def __init__(self, home: Path) -> None:
        program = shutil.which("chromium") or "chromium"
        port = free_port()
        # fmt: off
        command = [
            program, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
            f"--remote-debugging-port={port}", f"--user-data-dir={home / 'profile'}", "about:blank",
        ]
        # fmt: on
        super().__init__(command, port, home / "chromium.log")
        self.said: list[str] = []
        self._numbers = itertools.count(1)
        self._socket: Any = None
        self._held = ExitStack()

    def start(self) -> Self:
        super().start()
        with urllib.request.urlopen(
            f"http://127.0.0.1:{self.port}/json", timeout=SECONDS
        ) as answer:
            tabs = json.load(answer)
        page = next(each for each in tabs if each["type"] == "page")
        line = connect(page["webSocketDebuggerUrl"], max_size=None)
        self._socket = self._held.enter_context(line)
        for domain in ("Page", "Log", "Runtime"):
            self.ask(f"{domain}.enable")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._held.close()
        super().__exit__(kind, error, trace)

    def ask(self, method: str, **told: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": told}))
        while True:
            message = json.loads(self._socket.recv(timeout=SECONDS))
            if message.get("method") == "Log.entryAdded":
                self.said.append(message["params"]["entry"]["text"])
            if message.get("id") == number:
                return message.get("result", {})

    def open(self, url: str) -> None:
        self.ask("Page.navigate", url=url)

    def run(self, script: str) -> Any:
        found = self.ask("Runtime.evaluate", expression=script)
        return found.get("result", {}).get("value")

    def until(self, script: str) -> None:
        """Waits until a script says true, in whatever page there is by then."""
        self.within(lambda: self.run(script) is True, script)

    def within(self, holds: Callable[[], bool], what: str) -> None:
        ends = time.monotonic() + SECONDS
        while not holds():
            where = self.run("location.href + ' ' + document.title")
            assert time.monotonic() < ends, (what, where, self.said)
            time.sleep(0.05)
