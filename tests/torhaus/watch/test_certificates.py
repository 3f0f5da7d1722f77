"""Certificates are renewed under a running gateway."""

import asyncio
import os
import ssl
from pathlib import Path

from structlog.testing import capture_logs

from tests.torhaus.cast import run
from tests.torhaus.upstream.certificates import authority
from torhaus.model.tls import Shown
from torhaus.watch.certificates import Certificates

QUICK = 0.01


class Server:
    def __init__(self) -> None:
        self.shown: list[ssl.SSLContext] = []
        self.came = asyncio.Event()

    async def put(self, tls: ssl.SSLContext) -> None:
        self.shown.append(tls)
        self.came.set()


def files(folder: Path) -> Shown:
    pem = str(authority(folder).pem("gw.example"))
    return Shown(cert=pem, key=pem)


def watched(folder: Path, story) -> Server:
    server = Server()

    async def watching() -> None:
        server.came = asyncio.Event()
        shown = files(folder)
        certificates = Certificates(lambda: shown, server.put, QUICK)
        task = asyncio.create_task(certificates.run())
        try:
            await story(certificates, server, Path(shown.cert))
        finally:
            task.cancel()

    run(watching())
    return server


def test_new_files_are_shown_to_whoever_comes_next(tmp_path: Path) -> None:
    async def story(_certificates: Certificates, server: Server, pem: Path) -> None:
        os.utime(pem, (1, 1))
        await asyncio.wait_for(server.came.wait(), 60)

    assert len(watched(tmp_path, story).shown) == 1


def test_asked_it_looks_although_nothing_has_changed(tmp_path: Path) -> None:
    async def story(certificates: Certificates, server: Server, _pem: Path) -> None:
        certificates.ask()
        await asyncio.wait_for(server.came.wait(), 60)

    assert len(watched(tmp_path, story).shown) == 1


def test_files_that_cannot_be_used_change_nothing(tmp_path: Path) -> None:
    shown = files(tmp_path)
    Path(shown.cert).write_text("half of a certif")

    async def story() -> None:
        server = Server()
        with capture_logs() as logs:
            await Certificates(lambda: shown, server.put).renew()

        assert server.shown == []
        assert [each["event"] for each in logs] == ["tls.refused"]

    run(story())


def test_without_tls_there_is_nothing_to_watch() -> None:
    async def story() -> None:
        server = Server()
        await Certificates(lambda: None, server.put).renew()
        assert server.shown == []

    run(story())


def test_an_end_that_comes_with_a_request_is_an_end(tmp_path: Path) -> None:
    async def story(certificates: Certificates) -> None:
        task = asyncio.create_task(certificates.run())
        await asyncio.sleep(0)

        certificates.ask()
        await asyncio.sleep(0)
        task.cancel()

        done, _ = await asyncio.wait({task}, timeout=120.0)
        assert done == {task}
        assert task.cancelled()

    shown = files(tmp_path)
    run(story(Certificates(lambda: shown, Server().put, 60.0)))
