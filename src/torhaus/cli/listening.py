"""The sockets a gateway listens on, opened before anything else so that a refusal is clear."""

import errno
import socket


class TakenError(Exception):
    """The address cannot be listened on. The text is a sentence with what to do."""


def listen(host: str, port: int) -> list[socket.socket]:
    """Sockets bound to every address `host` stands for; 0 picks one free port for all of them.

    They are given to the server, which starts listening. Raises TakenError.
    """
    try:
        found = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE | socket.AI_NUMERICSERV
        )
    except (OSError, UnicodeError) as error:
        raise TakenError(f"{host} is no address of this machine; try --host 127.0.0.1") from error
    opened: list[socket.socket] = []
    try:
        for family, address in dict.fromkeys((each[0], each[4]) for each in found):
            opened.append(_bound(family, (address[0], port, *address[2:])))
            port = opened[0].getsockname()[1]
    except OSError as error:
        for each in opened:
            each.close()
        raise TakenError(_sentence(error, host, port)) from error
    return opened


def _bound(family: int, address: tuple[object, ...]) -> socket.socket:
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restart must not wait until the old connections are forgotten.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        # Two programs may be bound with SO_REUSEADDR as long as none listens: this settles it.
        sock.listen(4096)
    except OSError:
        sock.close()
        raise
    return sock


def _sentence(error: OSError, host: str, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return (
                f"port {port} on {host} is taken by another program; "
                f"stop it, or choose another port: --port {port + 1 if port < 65535 else 8080}, "
                "or --port 0 for a free one"
            )
        case errno.EACCES:
            return f"port {port} needs special rights; choose one above 1023, such as --port 8080"
        case errno.EADDRNOTAVAIL:
            return f"{host} is no address of this machine; try --host 127.0.0.1"
        case _:
            return f"Torhaus cannot listen on {host}, port {port}: {error.strerror}"
