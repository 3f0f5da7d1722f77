"""Closes the doors its first argument names, then tries everything: `confined.py DOORS FILE OTHER`.

DOORS: `landlock`, `syscalls`, `both` or `neither`. Prints what worked, as JSON.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable

from torhaus.store.query import landlock, syscalls
from torhaus.store.query.confine import confine

DOORS, FILE, OTHER = sys.argv[1:]


def tries(attempts: dict[str, Callable[[], object]]) -> dict[str, bool]:
    found = {}
    for name, attempt in attempts.items():
        try:
            attempt()
            found[name] = True
        except (OSError, RuntimeError):
            found[name] = False
    return found


def opened(path: str, flags: int) -> None:
    os.close(os.open(path, flags))


def threaded() -> None:
    got = []
    thread = threading.Thread(target=lambda: got.append(tries({"read": lambda: read(OTHER)})))
    thread.start()
    thread.join()
    if not got[0]["read"]:
        raise OSError


def read(path: str) -> None:
    opened(path, os.O_RDONLY)


def connected() -> None:
    with socket.socket() as client:
        client.settimeout(1)
        try:
            client.connect(("127.0.0.1", 9))
        except ConnectionRefusedError:
            return


ATTEMPTS: dict[str, Callable[[], object]] = {
    "read its file": lambda: read(FILE),
    "read another": lambda: read(OTHER),
    "read another in a thread": threaded,
    "read the parent's environment": lambda: read(f"/proc/{os.getppid()}/environ"),
    "write its file": lambda: opened(FILE, os.O_WRONLY),
    "write another": lambda: opened(OTHER, os.O_RDWR),
    "create": lambda: opened(FILE + ".new", os.O_CREAT | os.O_WRONLY),
    "cut": lambda: os.truncate(FILE, 1),
    "rename": lambda: os.rename(FILE, FILE + ".x"),
    "remove": lambda: os.unlink(OTHER + ".spare"),
    "make a directory": lambda: os.mkdir(FILE + ".d"),
    "change rights": lambda: os.chmod(FILE, 0o644),
    "connect": connected,
    "use a datagram": lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM).close(),
    "run a program": lambda: subprocess.run(["/bin/true"], check=False),
    "signal the parent": lambda: os.kill(os.getppid(), signal.SIGCONT),
    "start a thread": lambda: threading.Thread(target=int).start(),
}

match DOORS:
    case "landlock":
        landlock.restrict([FILE])
    case "syscalls":
        syscalls.restrict()
    case "both":
        confine([FILE])
    case "threads":
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        confine([FILE])
print(json.dumps([name for name, worked in tries(ATTEMPTS).items() if worked]))
