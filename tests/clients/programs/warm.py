"""Has libraries loaded, and becomes a program that needs them each time it is asked: WHICH.

WHICH: `torhaus`; `libraries` for what it needs from others alone; or `sdk` for programs of the
Python SDKs of MCP. Reads a line of JSON per request
from standard input, writes a line per answer. A new process shares with the others what an import
leaves behind: no thread, no loop, no open file.
"""

import atexit
import gc
import json
import os
import runpy
import signal
import sys
import threading
from collections.abc import Mapping
from importlib import import_module
from typing import Any

SDK = (
    "fastmcp",
    "fastmcp.client.transports",
    "httpx2",
    "mcp.client.client",
    "mcp.client.extension",
    "mcp.client.sse",
    "mcp.client.streamable_http",
    "mcp.server.apps",
    "mcp.server.auth.provider",
    "mcp.server.mcpserver",
    "uvicorn",
)
"""What the programs and servers beside this one import."""
READING = os.O_RDONLY
WRITING = os.O_WRONLY | os.O_APPEND | os.O_CREAT


def load(which: str) -> None:
    if which == "sdk":
        for each in SDK:
            import_module(each)
        return
    main = import_module("torhaus.cli.main")
    _load_commands(main.COMMANDS)
    _load_commands(main.GROUPS)
    import_module("pydantic.v1")  # which FastAPI loads only when it meets the first route
    if which == "libraries":
        for each in [each for each in sys.modules if each.partition(".")[0] == "torhaus"]:
            del sys.modules[each]


def _load_commands(words: Mapping[str, Any]) -> None:
    for where in words.values():
        if isinstance(where, str):
            import_module(f"torhaus.cli.{where.partition(':')[0]}")
        else:
            _load_commands(where[1])


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
    sys.argv = request["words"]
    return True


def ended(pid: int) -> int | None:
    """Its exit code once it has one, as subprocess.Popen tells it."""
    found, status = os.waitpid(pid, os.WNOHANG)
    return None if found == 0 else os.waitstatus_to_exitcode(status)


def becomes_one() -> bool:
    """True in each process that is to be a program, False when nobody asks any more."""
    for line in sys.stdin:
        request = json.loads(line)
        if "ended" in request:
            print(json.dumps(ended(request["ended"])), flush=True)
        elif started(request):
            return True
    return False


def run(which: str) -> int:
    """To the end of its threads. What is loaded is not taken apart: that is slow."""
    code: object = 0
    try:
        become(which)
    except SystemExit as error:
        code = error.code
    threading._shutdown()
    atexit._run_exitfuncs()
    sys.stdout.flush()
    return code if isinstance(code, int) else int(code is not None)


def become(which: str) -> None:
    if which != "sdk":
        import_module("torhaus.cli.main").run()
    else:
        sys.path.insert(0, os.path.dirname(sys.argv[0]))
        runpy.run_path(sys.argv[0], run_name="__main__")


def serve(which: str) -> None:
    load(which)
    gc.freeze()
    if becomes_one():
        os._exit(run(which))


serve(sys.argv[1])
