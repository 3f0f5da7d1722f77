"""`torhaus` processes that need not load their libraries: most of what a start costs.

Tests of the command line start it as people do.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from tests.clients.running import environment

PROGRAM = Path(__file__).parent / "programs" / "warm.py"


class Nest:
    """One process with everything loaded, which forks."""

    def __init__(self, env: Mapping[str, str]) -> None:
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
        into.write(json.dumps(request) + "\n")
        into.flush()
        return json.loads(out.readline())

    def close(self) -> None:
        """The processes it made go on."""
        self._process.communicate()


class Forked:
    """What subprocess.Popen is for other programs."""

    def __init__(self, nest: Nest, words: Sequence[str], log: Path, env: Mapping[str, str]) -> None:
        self._nest = nest
        self.args = ["torhaus", *words]
        self.returncode: int | None = None
        self.pid = int(nest.ask(words=list(words), log=str(log), env=dict(env)))

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


def forked(words: Sequence[str], log: Path, env: Mapping[str, str]) -> Forked:
    """`torhaus WORDS` in a process of its own; its output goes to `log`."""
    return Forked(_nest(), words, log.absolute(), env)


@cache
def _nest() -> Nest:
    one = Nest(environment(Path(os.devnull)))
    atexit.register(one.close)
    return one
