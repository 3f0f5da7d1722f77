"""Has Torhaus's libraries loaded, and becomes `torhaus` in a new process each time it is asked.

Reads a line of JSON per request from standard input, writes a line per answer. A new process
shares with the others what an import leaves behind: no thread, no loop, no open file.
"""

import atexit
import gc
import json
import os
import signal
import sys
import threading
from importlib import import_module
from typing import Any

from torhaus.cli import main

READING = os.O_RDONLY
WRITING = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def load() -> None:
    """The modules of every command."""
    _load(main.COMMANDS)
    _load(main.GROUPS)


def _load(words: main.Words) -> None:
    for where in words.values():
        if isinstance(where, str):
            import_module(f"torhaus.cli.{where.partition(':')[0]}")
        else:
            _load(where[1])


def started(request: dict[str, Any]) -> bool:
    """Fork. True in the new process, which is then what subprocess.Popen would have made of it."""
    assert os.listdir("/proc/self/task") == [str(os.getpid())], "a thread does not survive a fork"
    pid = os.fork()
    if pid != 0:
        print(pid, flush=True)
        return False
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(request["at"])
    for standard, path in enumerate(request["files"]):
        opened = os.open(path, READING if standard == 0 else WRITING, 0o644)
        os.dup2(opened, standard)
        os.close(opened)
    sys.stdin = os.fdopen(0, closefd=False)  # what the other one has read ahead is not ours
    os.environ.clear()
    os.environ.update(request["env"])
    sys.argv = ["torhaus", *request["words"]]
    return True


def ended(pid: int) -> int | None:
    """Its exit code once it has one, as subprocess.Popen tells it."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return None if found == 0 else os.waitstatus_to_exitcode(status)


def becomes_a_torhaus() -> bool:
    """True in each process that is to be one, False when nobody asks any more."""
    for line in sys.stdin:
        request = json.loads(line)
        if "ended" in request:
            print(json.dumps(ended(request["ended"])), flush=True)
        elif started(request):
            return True
    return False


def run() -> int:
    """`torhaus`, to the end of its threads. What it has loaded is not taken apart: that is slow."""
    code: object = 0
    try:
        main.run()
    except SystemExit as error:
        code = error.code
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    return code if isinstance(code, int) else int(code is not None)


load()
gc.freeze()
if becomes_a_torhaus():
    os._exit(run())
