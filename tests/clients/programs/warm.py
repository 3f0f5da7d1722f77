"""Has Torhaus's libraries loaded, and becomes `torhaus` in a new process each time it is asked.

Reads a line of JSON per request from standard input, writes a line per answer. A new process
shares with the others what an import leaves behind: no thread, no loop, no open file.
"""

import importlib
import json
import os
import sys
from typing import Any

from torhaus.cli import main

importlib.import_module("torhaus.cli.serve")


def started(request: dict[str, Any]) -> bool:
    """Fork. True in the new process, which is then what subprocess.Popen would have made of it."""
    assert os.listdir("/proc/self/task") == [str(os.getpid())], "a thread does not survive a fork"
    pid = os.fork()
    if pid != 0:
        print(pid, flush=True)
        return False
    os.setsid()
    log = os.open(request["log"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    null = os.open(os.devnull, os.O_RDONLY)
    for ours, standard in ((null, 0), (log, 1), (log, 2)):
        os.dup2(ours, standard)
    os.close(log)
    os.close(null)
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


if becomes_a_torhaus():
    main.run()
