"""Start a program on loopback, wait until it answers, stop it."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

START_SECONDS = 90.0
STOP_SECONDS = 60.0
# What a program under test inherits: no proxy, no key, no setting of the person at the desk.
KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "BENCH_RUN", "CONF_HOME")


def listening(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def environment(home: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1", **(extra or {})}


class Process(Protocol):
    """What subprocess.Popen does, as far as it is asked for here."""

    pid: int

    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, number: int, /) -> None: ...
    def terminate(self) -> None: ...


class Program(AbstractContextManager["Program"]):
    """One child process that listens on `port`; its output goes to `log`."""

    def __init__(
        self, command: Sequence[str], port: int, log: Path, env: Mapping[str, str] | None = None
    ) -> None:
        self.command = list(command)
        self.port = port
        self.log = log
        self.env = environment(log.parent, env)
        self._process: Process | None = None

    def start(self) -> Self:
        if listening(self.port):
            raise RuntimeError(f"another program has port {self.port}")
        self._process = self.launch()
        try:
            self._wait_until_listening()
        except BaseException:
            self.kill()
            raise
        return self

    def launch(self) -> Process:
        with self.log.open("ab") as out:
            return subprocess.Popen(
                self.command,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def process(self) -> Process:
        assert self._process is not None, f"{self.command} was not started"
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    def output(self) -> str:
        return self.log.read_text(errors="replace")

    def stop(self) -> int:
        """Ask it to end, and return its exit code. A program that does not end fails the test."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise

    def kill(self) -> None:
        """End it and its children at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self.process.wait()

    def _wait_until_listening(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not listening(self.port):
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.command} ended at once:\n{self.output()[-3000:]}")
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.command} does not listen:\n{self.output()[-3000:]}")
            time.sleep(0.05)

    def __enter__(self) -> Self:
        try:
            return self.start()
        except BaseException:
            if self._process is not None:  # it listens, and something else went wrong
                self.kill()
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._process is None:
            return
        if self.process.poll() is None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        self.kill()
