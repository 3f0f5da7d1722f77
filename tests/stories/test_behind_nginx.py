"""The configuration of nginx that docs/deployment.md prints, with a real nginx."""

import re
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.clients.running import Program
from tests.ports import free_port
from tests.stories.caller import Caller
from tests.stories.test_encryption import secured
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream
from tests.torhaus.upstream.certificates import authority

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
DOCS = Path(__file__).resolve().parents[2] / "docs" / "deployment.md"

pytestmark = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def printed() -> str:
    found = re.search(r"```nginx\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert found is not None
    return found[1]


class Nginx(Program):
    def __init__(self, home: Path, town: Town) -> None:
        home.mkdir(parents=True)
        pem = authority(home).pem("127.0.0.1")
        self.trust = ssl.create_default_context(cafile=str(home / "ca.pem"))
        port = free_port()
        block = (
            printed()
            .replace("/etc/ssl/gateway.pem", str(pem))
            .replace("/etc/ssl/gateway.key", str(pem))
            .replace("listen 443 ssl", f"listen 127.0.0.1:{port} ssl")
            .replace("127.0.0.1:8080", f"127.0.0.1:{town.port}")
        )
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        paths = "".join(f"{kind}_temp_path {home}/{kind};\n" for kind in kinds)
        file = home / "nginx.conf"
        file.write_text(
            f"daemon off;\npid {home}/pid;\nerror_log stderr;\nevents {{}}\n"
            f"http {{\naccess_log off;\n{paths}{block}}}\n"
        )
        super().__init__([str(NGINX), "-c", str(file)], port, home / "nginx.log")


@pytest.fixture(scope="module")
def town(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    config = {
        "server": {"public_url": "https://127.0.0.1", "trusted_proxies": ["127.0.0.1"]},
        "mcpServers": {"scripted": server(upstream.url)},
    }
    with Town(config, tmp_path_factory.mktemp("behind")) as running:
        yield running


@pytest.fixture(scope="module")
def nginx(town: Town, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nginx]:
    with Nginx(tmp_path_factory.mktemp("nginx") / "home", town) as running:
        yield running


@pytest.fixture
def caller(nginx: Nginx) -> Iterator[Caller]:
    with secured(nginx.port, nginx.trust) as made:
        yield made


def test_calls_and_streams_pass_through_it(caller: Caller, town: Town) -> None:
    before = town.count()

    assert "get_note" in caller.tool("get_note").text
    assert caller.tool("get_chatty").headers["content-type"] == "text/event-stream"

    assert {each["user"]["ip"] for each in town.new(before)} == {"127.0.0.1"}


def test_what_strangers_say_of_themselves_does_not_pass_it(caller: Caller, town: Town) -> None:
    before = town.count()
    body, usual = caller.call("get_note")
    lies = {
        "x-forwarded-for": "10.9.9.9",
        "forwarded": "for=10.9.9.9;proto=http",
        "x-real-ip": "10.9.9.9",
        "x-forwarded-proto": "http",
    }

    assert caller.ask(body, {**usual, **lies}).status == 200

    assert town.new(before)[0]["user"]["ip"] == "127.0.0.1"


def test_pages_know_that_they_are_shown_by_https(caller: Caller) -> None:
    caller.target = "/login"
    answer = caller.ask(b"", method="GET")

    assert answer.status == 200
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "__Host-torhaus-browser" in answer.headers["set-cookie"]


@pytest.mark.parametrize(
    "target", ["/mcp/scripted/../../status", "/mcp/scripted%2f..%2f..%2fstatus", "/mcp//status"]
)
def test_it_passes_addresses_on_as_they_came(caller: Caller, target: str) -> None:
    caller.target = target

    assert caller.ask({"jsonrpc": "2.0", "id": 1, "method": "ping"}).status == 404


def test_the_printed_configuration_is_one_that_nginx_takes(nginx: Nginx) -> None:
    command = [*nginx.command, "-t"]

    assert subprocess.run(command, check=False, capture_output=True).returncode == 0
