"""Somebody at a terminal: runs `torhaus` as a program and reads what it says."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.clients import warm
from tests.clients.running import Process, environment
from tests.clients.warm import Files, Forked

ROOT = Path(__file__).resolve().parents[3]
TINY = Path(__file__).parent / "servers" / "tiny.py"
KEY = "alice-secret-key-abc123"
SECONDS = 120.0

CONFIG = f"""
mcpServers:
  git:
    command: {sys.executable}
    args: [{TINY}, git_status, git_commit, fail]
  time:
    command: {sys.executable}
    args: [{TINY}, get_current_time]
accessControl:
  - role: developer
    allow: [git.read, time.read]
  - role: owner
    allow: [git.*]
users:
  - {{email: alice@example.com, role: developer, api_keys: ["${{TORHAUS_FIRST_KEY:-{KEY}}}"]}}
  - {{email: olga@example.com, role: owner, api_keys: [olga-secret-key-def456]}}
"""


class Said:
    """What a finished program left behind."""

    def __init__(self, code: int, out: str, err: str) -> None:
        self.code = code
        self.out = out
        self.err = err

    def json(self) -> Any:
        return json.loads(self.out)


def torhaus(
    *words: str, at: Path, env: Mapping[str, str] | None = None, typed: str | None = None
) -> Said:
    """Run one command in the directory `at` and wait for its end.

    Its libraries are loaded already, which is most of what a command costs.
    """
    done = warm.run(["torhaus", *words], at, surroundings(at, env), SECONDS, typed or "")
    return Said(done.returncode, done.stdout, done.stderr)


def anew(*words: str, at: Path) -> Said:
    """Run one command that finds nothing of Torhaus loaded, but the libraries that it needs."""
    args = ["torhaus", *words]
    done = warm.run(args, at, surroundings(at, None), SECONDS, which="libraries")
    return Said(done.returncode, done.stdout, done.stderr)


def cold(*words: str, at: Path, env: Mapping[str, str] | None = None) -> Said:
    """Run one command from nothing, as a shell does."""
    done = subprocess.run(
        command(*words),
        cwd=at,
        env=surroundings(at, env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    return Said(done.returncode, done.stdout, done.stderr)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "torhaus", *words]


def surroundings(home: Path, env: Mapping[str, str] | None) -> dict[str, str]:
    paths = os.pathsep.join((str(ROOT / "src"), str(ROOT)))
    return {**environment(home), "PYTHONPATH": paths, **(env or {})}


def configured(at: Path, text: str = CONFIG) -> Path:
    """Write `torhaus.yml` there."""
    path = at / "torhaus.yml"
    path.write_text(text)
    return path


def _interruptible() -> None:
    """Whoever runs the tests in the background has SIGINT ignored, which children inherit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Running:
    """A command that runs until it is told to stop; its output goes to files in `at`."""

    def __init__(self, *words: str, at: Path, env: Mapping[str, str] | None = None) -> None:
        self._out, self._err = at / "out.txt", at / "err.txt"
        self._process = self.launch(words, at, surroundings(at, env))

    def launch(self, words: Sequence[str], at: Path, env: Mapping[str, str]) -> Process:
        with self._out.open("wb") as out, self._err.open("wb") as err:
            return subprocess.Popen(
                command(*words),
                cwd=at,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=err,
                start_new_session=True,
                preexec_fn=_interruptible,
            )

    @property
    def out(self) -> str:
        return self._out.read_text()

    @property
    def err(self) -> str:
        return self._err.read_text()

    def wait_for(self, words: str, times: int = 1) -> str:
        """Its output, once it has said that."""
        deadline = time.monotonic() + SECONDS
        while self.out.count(words) < times:
            ended = self._process.poll()
            assert ended is None, f"ended with {ended}:\n{self.out}{self.err}"
            assert time.monotonic() < deadline, f"never said {words!r}:\n{self.out}{self.err}"
            time.sleep(0.02)
        return self.out

    def url(self) -> str:
        return self.wait_for("status ").partition("listens on ")[2].split()[0]

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal; its exit code."""
        self._process.send_signal(number)
        return self._process.wait(SECONDS)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()


class Warm(Running):
    """One that need not load its libraries, for tests of something else than its start."""

    def launch(self, words: Sequence[str], at: Path, env: Mapping[str, str]) -> Process:
        for each in (self._out, self._err):
            each.write_bytes(b"")
        return Forked(["torhaus", *words], at, env, Files(out=str(self._out), err=str(self._err)))
