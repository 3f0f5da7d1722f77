"""Where people find a gateway."""

import shlex
import socket

import pytest

from torhaus.cli.addresses import connect_lines, local_url, team_url
from torhaus.config.settings import Settings

PORT = 8080


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8080"),
        ("0.0.0.0", "http://127.0.0.1:8080"),
        ("::", "http://[::1]:8080"),
        ("::1", "http://[::1]:8080"),
        ("10.1.2.3", "http://10.1.2.3:8080"),
    ],
)
def test_from_this_machine_a_gateway_has_an_address_one_can_connect_to(host: str, url: str) -> None:
    assert local_url(Settings(host=host), PORT) == url


def test_the_team_uses_the_public_url() -> None:
    settings = Settings(host="0.0.0.0", public_url="https://gate.example.com")

    assert team_url(settings, PORT) == "https://gate.example.com"


def test_without_a_public_url_the_team_uses_the_name_of_this_machine() -> None:
    assert team_url(Settings(host="0.0.0.0"), PORT) == f"http://{socket.gethostname()}:8080"
    assert team_url(Settings(), PORT) == "http://127.0.0.1:8080"


@pytest.mark.parametrize(
    "key", ["thk_abc", "with$dollar", "with'quote", 'with"quotes', "a\\b", "!x"]
)
def test_a_shell_reads_the_key_as_it_is(key: str) -> None:
    (line,) = connect_lines("http://h:1", ["git"], key)

    words = shlex.split(line)
    assert words[:6] == ["claude", "mcp", "add", "--transport", "http", "git"]
    assert words[6:] == ["http://h:1/mcp/git", "--header", f"apikey: {key}"]


def test_a_client_that_signs_in_is_told_no_key() -> None:
    assert connect_lines("http://h:1", ["git"], None) == [
        "claude mcp add --transport http git http://h:1/mcp/git"
    ]
