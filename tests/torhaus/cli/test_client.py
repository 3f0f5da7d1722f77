"""The small client, against a gateway and against things that are none."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import KEY
from torhaus.cli.client import Client, GatewayError

Reply = tuple[int, str, bytes]
JSON, EVENTS = "application/json", "text/event-stream"


@contextmanager
def answering(reply: Callable[[str, Any], Reply]) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers as told, and what it heard: messages, or the name of a method."""
    heard: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["content-length"])))
            heard.append(message)
            self._answer(*reply("POST", message))

        def do_DELETE(self) -> None:
            heard.append(("DELETE", self.headers["mcp-session-id"]))
            self._answer(*reply("DELETE", None))

        def _answer(self, status: int, kind: str, body: bytes) -> None:
            self.send_response(status)
            self.send_header("content-type", kind)
            self.send_header("mcp-session-id", "s-1")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", heard
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def polite(message: Any) -> Reply | None:
    """What every server answers to everything but a call."""
    if message is None or message.get("method") == "notifications/initialized":
        return 202, JSON, b""
    if message.get("method") == "initialize":
        return 200, JSON, result(message, {"protocolVersion": "2025-06-18"})
    return None


def result(message: Any, value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": value}).encode()


def test_a_session_is_opened_used_and_ended(gate: Gate) -> None:
    with Client(gate.url, "git", KEY) as client:
        tools = [tool["name"] for tool in client.tools()]
        answer = client.call("git_status", {"a": 1})

    assert tools == ["git_status"]
    assert answer["content"] == [{"type": "text", "text": '{"a": 1}'}]


def test_what_a_server_asks_in_a_stream_is_answered_and_the_session_ends() -> None:
    def reply(_: str, message: Any) -> Reply:
        if "method" not in (message or {"method": ""}):
            return 202, JSON, b""
        asked = (
            b'id: 1\ndata:\n\n: comment\n\ndata: {"jsonrpc":"2.0","id":"p","method":"ping"}\n\n'
            b'data: {"jsonrpc":"2.0","id":"e","method":"elicitation/create","params":{}}\n\n'
            b'data: {"jsonrpc":"2.0","method":"notifications/progress","params":{}}\n\n'
        )
        calm = polite(message)
        if calm is not None:
            return calm
        return 200, EVENTS, asked + b"data: %b\n\n" % result(message, {"content": []})

    with answering(reply) as (url, heard), Client(url, "git", KEY) as client:
        assert client.call("x", {}) == {"content": []}

    answers = {each["id"]: each for each in heard if "method" not in each and "id" in each}
    assert answers["p"]["result"] == {}
    assert answers["e"]["error"]["code"] == -32601
    assert heard[-1] == ("DELETE", "s-1")


@pytest.mark.parametrize(
    ("reply", "sentence"),
    [
        ((200, "text/html", b"<html>"), "answered HTTP 200, but not as a Torhaus does"),
        ((500, JSON, b""), "answered HTTP 500 without a result"),
        ((404, JSON, b"{}"), "not as a Torhaus does"),
        ((200, JSON, b"[" * 100_000), "not as a Torhaus does"),
        ((200, JSON, b'{"jsonrpc":"2.0","id":1,"error":{"code":1,"message":"no"}}'), "^no$"),
        ((200, JSON, b'{"jsonrpc":"2.0","id":1,"result":7}'), "without a result"),
        ((200, EVENTS, b": nothing\n\n"), "without a result"),
        ((401, JSON, b'{"jsonrpc":"2.0","id":null,"error":{"message":"who?"}}'), "^who\\?$"),
    ],
)
def test_whatever_answers_the_caller_gets_a_sentence(reply: Reply, sentence: str) -> None:
    with (
        answering(lambda *_: reply) as (url, _),
        pytest.raises(GatewayError, match=sentence),
        Client(url, "git", KEY),
    ):
        pass


@pytest.mark.parametrize(
    "url", ["", "x", "http://", "ftp://a", "http://a:x", "http://a:99999", "http://127.0.0.1:0"]
)
def test_what_is_no_address_is_a_sentence(url: str) -> None:
    with pytest.raises(GatewayError, match="is no address of a gateway"):
        Client(url, "git", KEY)


def test_a_key_cannot_add_headers() -> None:
    with pytest.raises(GatewayError, match="line break"):
        Client("http://127.0.0.1:1", "git", "a\r\nx: y")
