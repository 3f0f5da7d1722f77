"""Ports for programs that must be told theirs before they start."""

import random
import socket

HOST = "127.0.0.1"
# Below those that systems give to whoever asks for any port, callers of servers among them: one of
# these is taken by nobody between the moment it is found free and that in which a program takes it.
FIRST, END = 10_000, 30_000

_claims: list[socket.socket] = []
_order = random.SystemRandom()


def free_port() -> int:
    """A loopback port on which nobody listens, and which no other process of the tests is given."""
    while True:
        port = _order.randrange(FIRST, END)
        if _free(port) and _claimed(port):
            return port


def _free(port: int) -> bool:
    with socket.socket() as probe:
        # Connections that linger on a port keep no server from it: servers set this too.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def _claimed(port: int) -> bool:
    """By a name that Linux frees with the process; elsewhere chance alone keeps them apart."""
    try:
        claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        claim.bind(f"\0torhaus-tests-port-{port}")
    except OSError:
        return False
    except ValueError:  # no such names here
        return True
    _claims.append(claim)
    return True
