"""Processes that need not load their libraries, which is most of what a start costs.

`tests/torhaus/cli` starts every command as people do, too.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.clients.running import Process, Program, environment

PROGRAM = Path(__file__).parent / "programs" / "warm.py"


class Nest:
    """One process with everything loaded, which forks."""

    def __init__(self, which: str, env: Mapping[str, str]) -> None:
        self._asking = threading.Lock()
        self._process = subprocess.Popen(
            # Without -P the folder of the program would be searched for modules.
            [sys.executable, "-P", str(PROGRAM), which],
            env=dict(env),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def ask(self, **request: Any) -> Any:
        into, out = self._process.stdin, self._process.stdout
        assert into is not None
        assert out is not None
        with self._asking:
            into.write(json.dumps(request) + "\n")
            into.flush()
            return json.loads(out.readline())

    def close(self) -> None:
        """The processes it made go on."""
        self._process.communicate()


@dataclass(frozen=True, kw_only=True)
class Files:
    """Where a process reads, and where it appends what it says."""

    into: str = os.devnull
    out: str
    err: str


class Forked:
    """What subprocess.Popen is for other programs. `args`: a script of Python, or `torhaus`.

    `which`: what is loaded already, see `programs/warm.py`; None for all that the program needs.
    """

    def __init__(
        self,
        args: Sequence[str],
        at: Path,
        env: Mapping[str, str],
        to: Files,
        which: str | None = None,
    ) -> None:
        files = (to.into, to.out, to.err)
        self._nest = _nest(which or ("torhaus" if args[0] == "torhaus" else "sdk"))
        self.args = list(args)
        self.returncode: int | None = None
        self.pid = int(
            self._nest.ask(words=self.args, at=str(at), env=dict(env), files=list(files))
        )

    def poll(self) -> int | None:
        if self.returncode is None:
            self.returncode = self._nest.ask(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        deadline = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if deadline is not None and time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(self.args, timeout or 0.0)
            time.sleep(0.005)
        return code

    def send_signal(self, number: int) -> None:
        # Until somebody has asked for its exit code, its number is nobody else's.
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


class WarmProgram(Program):
    """A script of Python that listens."""

    def launch(self) -> Process:
        log = str(self.log)
        return Forked(self.command[1:], Path.cwd(), self.env, Files(out=log, err=log))


def run(
    args: Sequence[str],
    at: Path,
    env: Mapping[str, str],
    seconds: float,
    typed: str = "",
    which: str | None = None,
) -> subprocess.CompletedProcess[str]:
    """Wait for its end. Raises subprocess.TimeoutExpired, and leaves nothing of it."""
    with tempfile.TemporaryDirectory() as aside:
        into, out, err = (Path(aside) / name for name in ("in", "out", "err"))
        into.write_text(typed)
        process = Forked(args, at, env, Files(into=str(into), out=str(out), err=str(err)), which)
        try:
            code = process.wait(seconds)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            raise
        return subprocess.CompletedProcess(list(args), code, out.read_text(), err.read_text())


@cache
def _nest(which: str) -> Nest:
    one = Nest(which, environment(Path(os.devnull)))
    atexit.register(one.close)
    return one
