"""Ports for programs that must be told theirs before they start."""

import os
import random
import re
import socket

HOST = "127.0.0.1"
# Below those that systems give to whoever asks for any port, callers of servers among them: one of
# these is taken by nobody between the moment it is found free and that in which a program takes it.
FIRST, END = 10_000, 30_000
SHARES = 8  # each process of the tests has its own, as `make test` starts eight at most

_order = random.SystemRandom()
_given: set[int] = set()


def free_port() -> int:
    """A loopback port on which nobody listens, and which is given once in this run of the tests."""
    first, end = _share()
    while True:
        port = _order.randrange(first, end)
        if port not in _given and _free(port):
            _given.add(port)
            return port


def _share() -> tuple[int, int]:
    number = re.fullmatch(r"gw(\d+)", os.environ.get("PYTEST_XDIST_WORKER", ""))
    if number is None:
        return FIRST, END
    size = (END - FIRST) // SHARES
    first = FIRST + int(number[1]) % SHARES * size
    return first, first + size


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # Connections that linger on a port keep no server from it: servers set this too.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True
