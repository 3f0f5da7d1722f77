"""The gateway as a program: what it prints, and how it ends."""

import json
import signal
import socket
import urllib.request
from pathlib import Path

import pytest

from tests.torhaus.cli.terminal import CONFIG, Running, Warm, configured, torhaus


def health(url: str) -> object:
    with urllib.request.urlopen(f"{url}/health", timeout=120) as answer:
        return json.loads(answer.read())


def test_port_0_picks_a_free_port_and_says_where_it_listens(tmp_path: Path) -> None:
    configured(tmp_path)

    with Running("serve", "--port", "0", at=tmp_path) as running:
        url = running.url()

        assert not url.endswith(":0")
        assert health(url) == {"status": "healthy"}


def test_it_prints_a_line_for_every_server_that_connects_claude_code(tmp_path: Path) -> None:
    configured(tmp_path)

    with Warm("serve", "--port", "0", at=tmp_path) as running:
        url = running.url()
        out = running.wait_for("claude mcp add", times=2)

    for name in ("git", "time"):
        line = f"claude mcp add --transport http {name} {url}/mcp/{name}"
        assert f"{line}\n" in out
    assert '--header "apikey: THEIR-KEY"' in out


def test_a_gateway_for_others_that_nobody_has_named_says_who_can_sign_in(tmp_path: Path) -> None:
    configured(tmp_path, f"{CONFIG}\nserver: {{host: 0.0.0.0}}\n")

    with Warm("serve", "--port", "0", at=tmp_path) as running:
        url = running.url()
        out = running.wait_for("server.public_url says what people type")

    assert f"claude mcp add --transport http git {url}/mcp/git\n" in out
    port = url.rpartition(":")[2]
    assert f"http://{socket.gethostname()}:{port} is for programs with a key until" in out


def test_where_nobody_signs_in_through_a_browser_the_lines_have_a_key(tmp_path: Path) -> None:
    configured(tmp_path, f"{CONFIG}\nauth: {{local: {{enabled: false}}}}\n")

    with Warm("serve", "--port", "0", at=tmp_path) as running:
        url = running.url()
        out = running.wait_for("claude mcp add", times=2)

    line = f"claude mcp add --transport http git {url}/mcp/git"
    assert f'{line} --header "apikey: YOUR-KEY"\n' in out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_with_exit_code_0(tmp_path: Path, number: int) -> None:
    configured(tmp_path)

    with Running("serve", "--port", "0", at=tmp_path) as running:
        running.url()

        assert running.stop(number) == 0
        assert running.err == ""


def test_a_taken_port_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    configured(tmp_path)
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        said = torhaus("serve", "--port", str(port), at=tmp_path)

    assert said.code == 1
    assert f"port {port} on 127.0.0.1 is taken by another program" in said.err
    assert "Traceback" not in said.err
    assert not (tmp_path / "data").exists()


def test_a_bad_configuration_prints_every_problem_with_its_line_and_fix(tmp_path: Path) -> None:
    configured(tmp_path, "server:\n  port: 99999999\n  hots: x\n")

    said = torhaus("serve", at=tmp_path)

    assert said.code == 1
    assert "torhaus.yml:2: error: server.port" in said.err
    assert "torhaus.yml:3: error: server.hots" in said.err
    assert said.err.count("fix: ") == 2


def test_warnings_of_the_configuration_are_shown_at_the_start(tmp_path: Path) -> None:
    oauth = "auth: {provider: oauth, oauth: {issuer: https://id.example.com, client_id: x}}\n"
    configured(tmp_path, oauth)

    with Warm("serve", "--port", "0", at=tmp_path) as running:
        running.url()

        assert "torhaus.yml:1: warning: mcpServers: no server is configured" in running.err
        assert "whoever signs in has no role here" in running.err


def test_while_nobody_administers_the_terminal_has_a_link_for_the_first_who_does(
    tmp_path: Path,
) -> None:
    configured(tmp_path, "roles: {admin: {permissions: ['*']}}\n")

    with Warm("serve", "--port", "0", at=tmp_path) as running:
        url = running.url()
        while "/setup/" not in running.out:
            running.url()

    assert f"{url}/setup/" in running.out
    assert "/setup/" not in running.err


def test_the_log_is_lines_of_json_when_nobody_looks(tmp_path: Path) -> None:
    path = configured(tmp_path)

    with Warm("serve", "--port", "0", at=tmp_path) as running:
        running.url()
        path.write_text("nonsense: 1\n")
        while "config.refused" not in running.err:
            running.url()
        events = [json.loads(line) for line in running.err.splitlines()]

    assert {"event": "config.refused", "level": "error"}.items() <= events[0].items()


def test_a_damaged_seal_key_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    configured(tmp_path)
    (tmp_path / "data").mkdir(mode=0o700)
    (tmp_path / "data" / "seal.key").write_bytes(b"short")

    said = torhaus("serve", "--port", "0", at=tmp_path)

    assert said.code == 1
    assert "seal.key must hold exactly 32 bytes" in said.err
    assert "Traceback" not in said.err


def test_a_data_directory_that_is_a_file_is_a_sentence_and_exit_code_1(tmp_path: Path) -> None:
    configured(tmp_path)
    (tmp_path / "data").write_text("")

    said = torhaus("serve", "--port", "0", at=tmp_path)

    assert said.code == 1
    assert said.err.startswith("Not started: ")
    assert "Traceback" not in said.err
