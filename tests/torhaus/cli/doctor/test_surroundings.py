"""What the gateway depends on."""

import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import TINY
from torhaus.cli.doctor.finding import Level
from torhaus.cli.doctor.surroundings import port, servers, versions, zone
from torhaus.config.settings import Settings
from torhaus.model.servers import HttpAddress, Server, StdioAddress


def at(number: int) -> Settings:
    return Settings(host="127.0.0.1", port=number)


def test_a_free_port_passes() -> None:
    assert port(at(0)).level is Level.PASS


def test_a_port_where_torhaus_answers_passes(gate: Gate) -> None:
    found = port(at(int(gate.url.rpartition(":")[2])))

    assert (found.level, found.message) == (Level.PASS, f"a healthy Torhaus answers at {gate.url}")


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", b"x"])
def test_a_port_of_something_else_fails(answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:

        def serve() -> None:
            connection, _ = other.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        found = port(at(other.getsockname()[1]))
        thread.join()

    assert found.level is Level.FAIL
    assert "is taken by another program" in found.message


def test_servers_are_asked_for_their_tools() -> None:
    command = StdioAddress(command=sys.executable, args=(str(TINY), "git_log", "frobnicate"))
    known = {
        "up": Server(name="up", address=command),
        "down": Server(name="down", address=HttpAddress(url="http://127.0.0.1:1/mcp")),
    }

    up, down = servers(known)

    assert (up.level, down.level) == (Level.PASS, Level.FAIL)
    assert up.message.startswith("2 tools; ")
    assert "mcpServers.down" in down.fix


def test_a_time_zone_without_rules_fails() -> None:
    assert zone("Europe/Berlin").level is Level.PASS
    assert zone("Middle/Earth").level is Level.FAIL


def test_the_versions_are_told() -> None:
    assert versions().level is Level.PASS
    assert "uvloop" in versions().message


READY = b'{"status": "ready", "unwell": {"jira": {"state": "credential refused", "since": null}}}'


class Unwell(BaseHTTPRequestHandler):
    """A Torhaus that runs, in front of a server that it cannot use."""

    def do_GET(self) -> None:
        body = b'{"status": "healthy"}' if self.path == "/health" else READY
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


def test_a_gateway_that_cannot_use_its_servers_is_a_doubt() -> None:
    with HTTPServer(("127.0.0.1", 0), Unwell) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        found = port(at(server.server_address[1]))
        server.shutdown()
        thread.join()

    assert found.level is Level.WARN
    assert "not all behind it is well: jira (credential refused)" in found.message
