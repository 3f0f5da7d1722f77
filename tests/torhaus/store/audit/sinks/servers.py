"""Real receivers on loopback: an HTTP server that answers as it is told, and syslog servers."""

import socket
import socketserver
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import MappingProxyType
from typing import Any, NamedTuple

SECONDS = 60.0


class Got(NamedTuple):
    path: str
    headers: dict[str, str]
    body: bytes


class Said(NamedTuple):
    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = MappingProxyType({})
    hang_up: bool = False


class HttpReceiver:
    """Answers from `script`, then always with `always`."""

    def __init__(self, *script: Said, always: Said | None = None) -> None:
        self.script = list(script)
        self.always = always or Said()
        self.got: list[Got] = []
        self.url = ""
        self._happened = threading.Condition()

    def take(self, got: Got) -> Said:
        with self._happened:
            self.got.append(got)
            self._happened.notify_all()
            return self.script.pop(0) if self.script else self.always

    def wait(self, requests: int) -> None:
        with self._happened:
            assert self._happened.wait_for(lambda: len(self.got) >= requests, SECONDS)

    @contextmanager
    def serving(self, tls: ssl.SSLContext | None = None) -> Iterator["HttpReceiver"]:
        server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        server.daemon_threads = True
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        try:
            yield self
        finally:
            server.shutdown()
            server.server_close()
            thread.join()


def _handler(receiver: HttpReceiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = SECONDS

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            said = receiver.take(Got(self.path, headers, body))
            if not said.hang_up:
                self.send_response(said.status)
                for name, value in said.headers.items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(said.body)))
                self.end_headers()
                self.wfile.write(said.body)
            self.close_connection = said.hang_up or self.close_connection

        def log_message(self, *_args: Any) -> None:
            pass

    return Handler


class SyslogReceiver:
    """Keeps messages: of datagrams one each, of streams by their counted octets."""

    def __init__(self) -> None:
        self.messages: list[bytes] = []
        self.connections = 0
        self.port = 0
        self._happened = threading.Condition()
        self._open: list[socket.socket] = []

    def take(self, message: bytes) -> None:
        with self._happened:
            self.messages.append(message)
            self._happened.notify_all()

    def wait(self, messages: int) -> None:
        with self._happened:
            assert self._happened.wait_for(lambda: len(self.messages) >= messages, SECONDS)

    def hang_up(self) -> None:
        """Close all connections, as a restart does."""
        for each in self._open:
            each.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def connected(self, connection: socket.socket) -> None:
        self.connections += 1
        self._open.append(connection)

    @contextmanager
    def serving(
        self, *, udp: bool = False, tls: ssl.SSLContext | None = None
    ) -> Iterator["SyslogReceiver"]:
        kind = socketserver.ThreadingUDPServer if udp else socketserver.ThreadingTCPServer
        handler = _datagram(self) if udp else _stream(self, tls)
        with kind(("127.0.0.1", 0), handler) as server:
            server.daemon_threads = True
            server.block_on_close = False
            self.port = server.server_address[1]
            thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                thread.join()


def _datagram(receiver: SyslogReceiver) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            receiver.take(self.request[0])

    return Handler


def _stream(
    receiver: SyslogReceiver, tls: ssl.SSLContext | None
) -> type[socketserver.BaseRequestHandler]:
    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            plain: socket.socket = self.request
            try:
                found = plain if tls is None else tls.wrap_socket(plain, server_side=True)
            except OSError:
                return
            receiver.connected(found)
            with found, found.makefile("rb") as stream:
                while length := _until_blank(stream):
                    receiver.take(stream.read(int(length)))

    return Handler


def _until_blank(stream: Any) -> bytes:
    found = b""
    try:
        while (octet := stream.read(1)) not in (b"", b" "):
            found += octet
    except OSError:
        return b""
    return found
