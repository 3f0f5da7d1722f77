import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import typer

from torhaus.cli.api import Api, asked
from torhaus.cli.client import GatewayError


@contextmanager
def answering(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A server that answers one request with these bytes: its URL, and what came."""
    seen: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            line, _ = listening.accept()
            with line:
                seen.append(whole(line))
                line.sendall(answer)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/base/", seen
        thread.join(10)


def whole(line: socket.socket) -> bytes:
    """One request; a client sends head and body one after the other."""
    data = line.recv(65536)
    while data.startswith(b"POST") and not data.endswith(b"}"):
        data += line.recv(65536)
    return data


def response(status: str, body: object) -> bytes:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    return f"HTTP/1.1 {status}\r\ncontent-length: {len(data)}\r\n\r\n".encode() + data


def test_paths_are_escaped_and_the_key_is_sent() -> None:
    with answering(response("200 OK", [1])) as (url, seen):
        assert Api(url, "thk_1").get("approvals", "a/b ?", state="x&y", limit=None) == [1]

    head = seen[0].decode()
    assert head.startswith("GET /base/api/v1/approvals/a%2Fb%20%3F?state=x%26y HTTP/1.1\r\n")
    assert "Authorization: Bearer thk_1\r\n" in head
    assert "Content-Type" not in head


def test_what_is_posted_is_json() -> None:
    with answering(response("201 Created", {"id": 1})) as (url, seen):
        assert Api(url, None).post("x", body={"a": "ü"}) == {"id": 1}

    assert b"Content-Type: application/json\r\n" in seen[0]
    assert b"Authorization" not in seen[0]
    assert seen[0].endswith(b'\r\n\r\n{"a": "\\u00fc"}')


SAID = [
    (response("409 X", {"detail": "too late"}), "too late"),
    (response("409 X", {"detail": "too late", "fix": "ask again"}), "too late: ask again"),
    (response("401 X", {"detail": "who are you", "fix": "x"}), "who are you (set TORHAUS_KEY)"),
    (response("500 X", b"<html>"), "answered HTTP 500, but not as a Torhaus does"),
    (response("200 OK", b"<html>"), "answered HTTP 200, but not as a Torhaus does"),
    (response("404 X", {"detail": 1}), "answered HTTP 404, but not as a Torhaus does"),
    (response("404 X", [1]), "answered HTTP 404, but not as a Torhaus does"),
    (b"", "nothing answers at"),
    (b"SSH-2.0\r\n", "nothing answers at"),
]


@pytest.mark.parametrize(("answer", "sentence"), SAID)
def test_every_other_answer_is_a_sentence(answer: bytes, sentence: str) -> None:
    with answering(answer) as (url, _), pytest.raises(GatewayError) as raised:
        Api(url, None).delete("x")

    assert sentence in str(raised.value)


@pytest.mark.parametrize("url", ["", "ftp://x", "http://", "127.0.0.1:8080", "http://x:99999"])
def test_what_is_no_address_is_a_sentence(url: str) -> None:
    with pytest.raises(GatewayError, match="is no address of a gateway"):
        Api(url, None)


def test_a_key_with_a_line_break_is_not_sent() -> None:
    with pytest.raises(GatewayError, match="line break"):
        Api("http://127.0.0.1:1", "a\r\nb: c")


def test_a_refusal_is_exit_code_1(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as raised:
        asked(lambda at: at.get("x"), "http://127.0.0.1:1", "")

    assert raised.value.exit_code == 1
    assert "nothing answers at http://127.0.0.1:1" in capsys.readouterr().err
