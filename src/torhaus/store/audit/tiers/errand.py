"""Runs the conversion in a short-lived process of its own."""

import os
import subprocess
import sys
import threading
from typing import IO

import msgspec

from torhaus.store.audit.tiers.depot import UpkeepError
from torhaus.store.audit.tiers.order import Made, Order

PATIENCE = 3600.0
"""Seconds that one order may take."""

# Nothing of the configuration's secrets is needed to sort records.
_KEPT = ("PATH", "PYTHONPATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "TZ", "LD_LIBRARY_PATH")
_COMMAND = (sys.executable, "-P", "-m", "torhaus.store.audit.tiers.convert")


class Errand:
    """Call it with an order. `stop`, from any thread, ends what runs and refuses what comes."""

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._running: subprocess.Popen[bytes] | None = None
        self._lock = threading.Lock()
        self._stopped = False

    def __call__(self, order: Order) -> Made:
        """Raises UpkeepError."""
        process = self._start()
        try:
            out, said = process.communicate(msgspec.json.encode(order), timeout=self._patience)
        except subprocess.TimeoutExpired as error:
            process.kill()
            process.communicate()
            raise UpkeepError(f"compaction took longer than {self._patience:g} s") from error
        finally:
            with self._lock:
                self._running = None
        if process.returncode != 0:
            why = said.decode("utf-8", "replace").strip()[-500:]
            raise UpkeepError(f"compaction failed: {why or f'exit code {process.returncode}'}")
        try:
            return msgspec.json.decode(out, type=Made)
        except msgspec.MsgspecError as error:
            raise UpkeepError("compaction failed: its errand said nothing that fits") from error

    def _start(self) -> "subprocess.Popen[bytes]":
        pipe: int | IO[bytes] = subprocess.PIPE
        env = {name: os.environ[name] for name in _KEPT if name in os.environ}
        with self._lock:
            if self._stopped:
                raise UpkeepError("the gateway stops")
            try:
                self._running = subprocess.Popen(  # noqa: S603 -- our own program
                    _COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, env=env, close_fds=True
                )
            except OSError as error:
                raise UpkeepError(f"compaction cannot be started: {error.strerror}") from error
            return self._running

    def stop(self) -> None:
        with self._lock:
            self._stopped = True
            if self._running is not None:
                self._running.kill()
