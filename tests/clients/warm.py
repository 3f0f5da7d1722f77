"""`torhaus` processes that need not load their libraries: most of what a start costs.

`tests/torhaus/cli` starts every command as people do, too.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.clients.running import environment

PROGRAM = Path(__file__).parent / "programs" / "warm.py"


class Nest:
    """One process with everything loaded, which forks."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._asking = threading.Lock()
        self._process = subprocess.Popen(
            # Without -P the folder of the program would be searched for modules.
            [sys.executable, "-P", str(PROGRAM)],
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
    """What subprocess.Popen is for other programs."""

    def __init__(self, words: Sequence[str], at: Path, env: Mapping[str, str], to: Files) -> None:
        files = (to.into, to.out, to.err)
        self._nest = _nest()
        self.args = ["torhaus", *words]
        self.returncode: int | None = None
        self.pid = int(
            self._nest.ask(words=list(words), at=str(at), env=dict(env), files=list(files))
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


@cache
def _nest() -> Nest:
    one = Nest(environment(Path(os.devnull)))
    atexit.register(one.close)
    return one
