import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import typer

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.terminal import KEY, torhaus
from torhaus.cli import main
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


def commands(group: Any, *before: str) -> Iterator[tuple[str, Any]]:
    """Each command with its words."""
    for name in group.list_commands(None):
        each = group.get_command(None, name)
        if hasattr(each, "list_commands"):
            yield from commands(each, *before, name)
        else:
            yield " ".join((*before, name)), each


def test_every_command_that_asks_a_gateway_takes_the_same_variables() -> None:
    found = {}
    for words, each in commands(typer.main.get_command(main.torhaus)):
        options = {option.name: option for option in each.params}
        if "url" in options:
            key = options["key"] if words != "explain" else None  # its --key is a key's id
            found[words] = (options["url"].envvar, "TORHAUS_KEY" if key is None else key.envvar)

    assert len(found) > 40
    assert {"call", "explain", "tools list", "audit query", "users add", "stop user"} <= set(found)
    assert set(found.values()) == {("TORHAUS_URL", "TORHAUS_KEY")}


def test_what_is_typed_goes_before_what_is_in_the_environment(gate: Gate) -> None:
    asks = ("explain", "alice@example.com", "git", "git_status")
    nowhere = {"TORHAUS_URL": "http://127.0.0.1:9", "TORHAUS_KEY": KEY}
    here = {**nowhere, "TORHAUS_URL": gate.url}
    file = ("-c", str(gate.home / "torhaus.yml"))

    asked = torhaus(*asks, at=gate.home, env=here)
    assert (asked.code, asked.err) == (0, ""), asked.out
    assert "nothing answers at http://127.0.0.1:9" in torhaus(*asks, at=gate.home, env=nowhere).err
    assert torhaus(*asks, "--url", gate.url, at=gate.home, env=nowhere).code == 0
    assert torhaus(*asks, *file, at=gate.home, env=nowhere).code == 0
    assert torhaus(*asks, "--file-only", at=gate.home, env=nowhere).code == 0
    assert torhaus("tools", "git", *file, at=gate.home, env=nowhere).code == 0
    through = torhaus("tools", "git", "--json", at=gate.home, env=here)
    assert (
        through.json()
        == torhaus(
            "tools", "git", "--url", gate.url, "--json", at=gate.home, env={"TORHAUS_KEY": KEY}
        ).json()
    )
    queries = ("audit", "queries")
    assert torhaus(*queries, *file, at=gate.home, env=nowhere).code == 0
    assert torhaus(*queries, at=gate.home, env=nowhere).code == 1
