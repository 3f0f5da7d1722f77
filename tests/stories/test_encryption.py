"""https without a proxy: certificates by file, renewed while people are connected."""

import asyncio
import shutil
import socket
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from tests.stories.caller import Caller
from tests.stories.town import KEYS, Town, server
from tests.stories.upstream import Upstream, within
from tests.torhaus.upstream.certificates import Authority, authority
from torhaus.config.certificates import context
from torhaus.model.tls import Shown
from torhaus.serving import Server


class SecureTown(Town):
    """A town with a certificate for 127.0.0.1."""

    def __init__(self, upstream: Upstream, home: Path, **tls: str) -> None:
        home.mkdir(parents=True)
        self.authority = authority(home)
        self.shown = home / "shown.pem"
        self.show(self.authority, 30)
        files = {"cert": str(self.shown), "key": str(self.shown), **tls}
        settings = {"public_url": "https://127.0.0.1", "tls": files}
        super().__init__(
            {"server": settings, "mcpServers": {"scripted": server(upstream.url)}}, home
        )

    def show(self, by: Authority, days: int) -> None:
        """Another certificate, put there as tools that renew them do."""
        fresh = self.shown.with_suffix(".new")
        shutil.copy(by.pem("127.0.0.1", days=days), fresh)
        fresh.replace(self.shown)

    def trusting(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.authority.ca_file)

    def get(self, path: str) -> str | None:
        url = f"https://127.0.0.1:{self.port}{path}"
        try:
            with urllib.request.urlopen(url, timeout=60, context=self.trusting()) as page:
                return str(page.read().decode())
        except OSError:
            return None

    def secure(self) -> Caller:
        return secured(self.port, self.trusting())

    def serial(self) -> Any:
        with self.secure() as caller:
            return caller.socket.getpeercert()["serialNumber"]  # type: ignore[attr-defined]


def secured(port: int, trust: ssl.SSLContext) -> Caller:
    caller = Caller(port, KEYS["ALICE_KEY"])
    caller.reader.close()
    caller.socket = trust.wrap_socket(caller.socket, server_hostname="127.0.0.1")
    caller.reader = caller.socket.makefile("rb")
    return caller


@pytest.fixture
def secure(upstream: Upstream, home: Path) -> Iterator[SecureTown]:
    with SecureTown(upstream, home) as running:
        yield running


def test_calls_lists_and_streams_pass_over_tls(secure: SecureTown) -> None:
    with secure.secure() as caller:
        assert "get_note" in caller.tool("get_note").text
        assert caller.tool("get_chatty").headers["content-type"] == "text/event-stream"
        caller.begin()
        caller.listen()
    page = secure.get("/status")
    assert page is not None
    assert "without encryption" not in page


def test_pages_over_tls_say_that_browsers_are_to_come_so(secure: SecureTown) -> None:
    with secure.secure() as caller:
        caller.target = "/login"
        answer = caller.ask(b"", method="GET")

    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "__Host-torhaus-browser" in answer.headers["set-cookie"]
    assert "secure" in answer.headers["set-cookie"].lower()


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_versions_of_tls_are_not_spoken(secure: SecureTown, version: ssl.TLSVersion) -> None:
    trust = secure.trusting()
    trust.set_ciphers("DEFAULT@SECLEVEL=0")
    trust.minimum_version = trust.maximum_version = version

    with pytest.raises(OSError):  # noqa: PT011 -- which one is OpenSSL's business
        secured(secure.port, trust)


def test_plain_http_at_an_https_port_is_no_conversation(secure: SecureTown) -> None:
    with secure.caller() as caller:
        caller.send(caller.request(b"{}"))

        assert caller.reader.read() == b""


def test_a_new_certificate_disturbs_nobody_who_is_connected(secure: SecureTown) -> None:
    before = secure.serial()
    with secure.secure() as caller:
        assert caller.tool("get_note").status == 200

        secure.show(secure.authority, 29)

        assert within(60, lambda: secure.serial() != before)
        assert caller.tool("get_note").status == 200
    assert secure.serial() != before


def test_sighup_renews_too_and_half_a_file_changes_nothing(secure: SecureTown) -> None:
    before = secure.serial()
    secure.shown.write_text("half of a certif")
    secure.hang_up()
    assert within(60, lambda: "tls.refused" in secure.log.read_text())
    assert secure.serial() == before

    secure.show(secure.authority, 28)
    secure.hang_up()

    assert within(60, lambda: secure.serial() != before)


def test_a_certificate_that_comes_while_the_gateway_starts_is_the_one_that_is_shown(
    tmp_path: Path,
) -> None:
    pem = str(authority(tmp_path).pem("127.0.0.1"))
    shown = Shown(cert=pem, key=pem)

    async def page(_scope: Any, _receive: Any, _send: Any) -> None:
        raise AssertionError

    class Empty:
        async def every_second(self, _connections: object) -> None: ...
        async def drain(self) -> None: ...
        async def close(self) -> None: ...

    async def started() -> None:
        config = uvicorn.Config(page, port=0, lifespan="off", ws="none", log_config=None)
        server = Server(Empty(), config, lambda: None, context(shown))
        server.lifespan = config.lifespan_class(config)
        renewed = context(shown)
        await server.show(renewed)
        await server.startup()
        assert server.config.ssl is renewed
        await server.shutdown()

    asyncio.run(started())


def test_only_callers_with_a_certificate_come_in_where_that_is_asked_for(
    upstream: Upstream, home: Path
) -> None:
    class Strict(SecureTown):
        def trusting(self) -> ssl.SSLContext:
            made = super().trusting()
            made.load_cert_chain(self.authority.pem("somebody.example"))
            return made

    with Strict(upstream, home, client_ca=str(home / "ca.pem")) as town:
        with town.secure() as caller:
            assert caller.tool("get_note").status == 200
        bare = ssl.create_default_context(cafile=town.authority.ca_file)
        with pytest.raises((OSError, AssertionError)), secured(town.port, bare) as caller:
            caller.tool("get_note")


def test_a_handshake_that_never_comes_keeps_nobody_waiting(secure: SecureTown) -> None:
    silent = [socket.create_connection(("127.0.0.1", secure.port)) for _ in range(50)]
    try:
        with secure.secure() as caller:
            assert caller.tool("get_note").status == 200
    finally:
        for each in silent:
            each.close()
