import sys
from pathlib import Path

import pytest

from torhaus.config.load import load_text
from torhaus.model.servers import ASKABLE, HttpAddress, Server, StdioAddress


def server(text: str, name: str = "t.yml", path: str = "") -> Server:
    rules = load_text(f"mcpServers: {{a: {{{text}}}}}", name, {"PATH": path}).rules
    return rules.servers["a"]


def http(text: str) -> HttpAddress:
    address = server(f"url: 'https://a.de', {text}").address
    assert isinstance(address, HttpAddress)
    return address


@pytest.mark.parametrize(
    ("auth", "name", "value"),
    [
        ("type: bearer, token: abc", "Authorization", "Bearer abc"),
        ("type: basic, username: Aladdin, password: open sesame", "Authorization",
         "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),  # RFC 7617 section 2
        ("type: header, name: X-API-Key, value: abc def", "X-API-Key", "abc def"),
    ],
)  # fmt: skip
def test_a_credential_becomes_a_header(auth: str, name: str, value: str) -> None:
    ((found, secret),) = http(f"auth: {{{auth}}}").headers

    assert (found, secret.reveal()) == (name, value)


def program(folder: Path, name: str) -> Path:
    folder.mkdir(exist_ok=True)
    path = folder / name
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def command(text: str, name: str, path: str) -> str:
    address = server(f"command: {text}", name, path).address
    assert isinstance(address, StdioAddress)
    return address.command


def test_a_bare_command_is_found_in_the_path_given(tmp_path: Path) -> None:
    found = program(tmp_path / "bin", "some-mcp-server")

    assert command("some-mcp-server", "t.yml", str(tmp_path / "bin")) == str(found)


def test_a_bare_command_is_found_beside_our_own_python_first(tmp_path: Path) -> None:
    name = Path(sys.executable).name
    program(tmp_path, name)

    assert command(name, "t.yml", str(tmp_path)) == str(Path(sys.executable).absolute())


@pytest.mark.parametrize(
    ("written", "alone", "among"),
    [
        ("", ASKABLE, ("elicitation", "roots")),
        (", asks: []", (), ()),
        (", asks: [sampling, roots]", ("roots", "sampling"), ("roots", "sampling")),
        (", asks: [sampling, roots, elicitation]", ASKABLE, ASKABLE),
    ],
)
def test_what_a_server_may_ask(
    written: str, alone: tuple[str, ...], among: tuple[str, ...]
) -> None:
    found = server(f"url: 'https://a.de'{written}")

    assert (found.asks, found.asks_among) == (alone, among)
    assert (found.asks is ASKABLE) is (alone == ASKABLE)


def test_a_command_with_a_slash_starts_from_the_file(tmp_path: Path) -> None:
    found = program(tmp_path / "bin", "mine")

    assert command("./bin/mine", str(tmp_path / "t.yml"), "") == str(found)


def test_a_command_that_is_not_there_is_a_warning_and_stays(tmp_path: Path) -> None:
    loaded = load_text("mcpServers:\n  a:\n    command: no-such-x", "t.yml", {"PATH": ""})

    warning = next(w for w in loaded.warnings if "no such program" in w.message)
    assert (warning.line, warning.path) == (3, "mcpServers.a.command")
    address = loaded.rules.servers["a"].address
    assert isinstance(address, StdioAddress)
    assert address.command == "no-such-x"


def test_different_credentials_look_different_and_equal_ones_equal() -> None:
    texts = [
        "url: 'https://a.de', auth: {type: bearer, token: abc}",
        "url: 'https://a.de', auth: {type: bearer, token: abd}",
        "url: 'https://b.de', auth: {type: bearer, token: abc}",
        "url: 'https://a.de', headers: {X: abc}",
        "url: 'https://a.de', headers: {Xa: bc}",
        "url: 'https://a.de'",
        "command: x, args: [a, b]",
        "command: x, args: [ab]",
        "command: x, args: [a], env: {b: c}",
        "command: x, args: [a, b, c]",
    ]

    found = [server(text).credential for text in texts]

    assert len(set(found)) == len(texts)
    assert server(texts[0]).credential == found[0]
    assert server("url: 'https://a.de', headers: {B: x, A: y}").credential == (
        server("url: 'https://a.de', headers: {A: y, B: x}").credential
    )


@pytest.mark.parametrize(
    ("url", "warned"),
    [
        ("http://mcp.internal/mcp", True),
        ("http://127.0.0.1:9000/mcp", False),
        ("http://localhost:9000/mcp", False),
        ("https://mcp.internal/mcp", False),
    ],
)
def test_a_credential_on_plain_http_is_warned_about(url: str, warned: bool) -> None:
    text = f"mcpServers: {{a: {{url: '{url}', auth: {{type: bearer, token: abc}}}}}}"

    warnings = load_text(text, "t.yml", {}).warnings

    assert any("unencrypted" in warning.message for warning in warnings) is warned
