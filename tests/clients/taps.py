"""A tap on the wire: passes everything on, and remembers which messages went to the server."""

import json
import re
import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Self

_LENGTH = re.compile(rb"^content-length: *([0-9]+)", re.IGNORECASE | re.MULTILINE)


class Tap:
    """Listens on `port` of loopback, for the program that listens on `behind`."""

    def __init__(self, behind: int) -> None:
        self.behind = behind
        self._passed: list[bytearray] = []

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def messages(self) -> list[Any]:
        """The JSON in the bodies that went to the server, connection by connection."""
        return [each for passed in list(self._passed) for each in bodies(bytes(passed))]

    def calls(self, argument: str, value: str) -> list[dict[str, Any]]:
        """The parameters of tool calls with this argument."""
        called = [each for each in self.messages() if each.get("method") == "tools/call"]
        found: list[dict[str, Any]] = [each["params"] for each in called]
        return [each for each in found if each["arguments"].get(argument) == value]

    def __enter__(self) -> Self:
        tap = self

        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                tap._carry(self.request)

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True  # streams may stay open for ever
        self._server.block_on_close = False
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _carry(self, client: socket.socket) -> None:
        passed = bytearray()
        self._passed.append(passed)
        with suppress(OSError), socket.create_connection(("127.0.0.1", self.behind)) as server:
            back = threading.Thread(target=_pass_on, args=(server, client), daemon=True)
            back.start()
            _pass_on(client, server, passed)
            back.join()


def _pass_on(source: socket.socket, target: socket.socket, passed: bytearray | None = None) -> None:
    """Until one of them ends."""
    with suppress(OSError):
        while data := source.recv(65536):
            if passed is not None:
                passed += data
            target.sendall(data)
    with suppress(OSError):
        target.shutdown(socket.SHUT_WR)


def bodies(data: bytes) -> Iterator[Any]:
    """Of HTTP requests one behind the other, each of which says how long its body is."""
    while b"\r\n\r\n" in data:
        head, _, rest = data.partition(b"\r\n\r\n")
        assert b"transfer-encoding" not in head.lower(), head
        found = _LENGTH.search(head)
        size = 0 if found is None else int(found[1])
        if 0 < size <= len(rest):
            yield json.loads(rest[:size])
        data = rest[size:]
