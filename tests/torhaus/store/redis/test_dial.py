import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.torhaus.store.redis.valkeys import HOST, Valkey, free_port, play, valkey
from tests.torhaus.upstream.certificates import authority
from torhaus.model.redis import Login
from torhaus.model.secret import Secret
from torhaus.model.tls import Tls
from torhaus.store.redis.dial import asked, dial
from torhaus.store.redis.wire import Unreachable, Wire
from torhaus.store.tls import context


async def dialled(
    where: tuple[str, int], login: Login | None = None, tls: Tls | None = None, timeout: float = 3.0
) -> Wire:
    def make() -> Wire:
        return Wire(timeout, lambda wire: None, lambda message: None)

    return await dial(where, login, None if tls is None else context(tls), make, timeout)


def test_a_connection_speaks_the_new_protocol_under_our_name(server: Valkey) -> None:
    async def story() -> None:
        wire = await dialled(server.address)

        assert await asked(wire, "CLIENT", "GETNAME") == b"torhaus"
        assert isinstance(await asked(wire, "CONFIG", "GET", "port"), dict)
        wire.close()

    play(story)


def test_an_acl_user_logs_in_and_may_do_no_more_than_he_may() -> None:
    async def story() -> None:
        with valkey("user default off", "user torhaus on >s3cret ~t:* +@all -flushall") as server:
            wire = await dialled(server.address, Login("torhaus", Secret("s3cret")))

            assert await asked(wire, "SET", "t:1", "x") == b"OK"
            for refused in (("SET", "u:1", "x"), ("FLUSHALL",)):
                with pytest.raises(Unreachable, match="NOPERM"):
                    await asked(wire, *refused)
            wire.close()

    play(story)


@pytest.mark.parametrize("login", [None, Login("torhaus", Secret("wr0ng")), Login("a", Secret(""))])
def test_a_refused_login_is_named_without_the_password(login: Login | None) -> None:
    async def story() -> None:
        with valkey("user default off", "user torhaus on >s3cret ~* +@all") as server:
            with pytest.raises(Unreachable) as refused:
                await dialled(server.address, login)

            assert f"{HOST}:{server.port}" in str(refused.value)
            assert "wr0ng" not in str(refused.value)

    play(story)


@asynccontextmanager
async def secured(server: Valkey, proof: ssl.SSLContext) -> AsyncIterator[tuple[str, int]]:
    """TLS in front of a server: the test's own build of Valkey has none."""

    serving: set[asyncio.Task[None]] = set()

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while data := await reader.read(65536):
            writer.write(data)

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        inner, outer = await asyncio.open_connection(*server.address)
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(carry(reader, outer))
                both.create_task(carry(inner, writer))
        except* OSError:
            pass  # whoever was refused has left
        finally:
            outer.transport.abort()
            writer.transport.abort()

    def begin(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving.add(asyncio.ensure_future(serve(reader, writer)))

    proxy = await asyncio.start_server(begin, HOST, 0, ssl=proof)
    async with proxy:
        yield proxy.sockets[0].getsockname()
    for each in serving:
        each.cancel()
    await asyncio.gather(*serving, return_exceptions=True)


@pytest.mark.parametrize("mutual", [False, True])
def test_tls_is_spoken_with_a_server_that_can_prove_itself(
    server: Valkey, tmp_path: Path, mutual: bool
) -> None:
    async def story() -> None:
        vouching = authority(tmp_path)
        proof = vouching.server(HOST)
        pem = str(tmp_path / f"{HOST}30.pem")
        if mutual:
            proof.verify_mode = ssl.CERT_REQUIRED
            proof.load_verify_locations(vouching.ca_file)
        async with secured(server, proof) as where:
            good = Tls(ca_file=vouching.ca_file, cert_file=pem if mutual else None)
            wire = await dialled(where, tls=good)
            assert await asked(wire, "PING") == b"PONG"
            wire.close()

            bad = [Tls(), None, Tls(ca_file=vouching.ca_file)][: 3 if mutual else 2]
            for other in bad:
                with pytest.raises(Unreachable):
                    await dialled(where, tls=other, timeout=0.5)

    play(story)


def test_a_certificate_for_somebody_else_is_refused(server: Valkey, tmp_path: Path) -> None:
    async def story() -> None:
        vouching = authority(tmp_path)
        async with secured(server, vouching.server("127.0.0.9")) as where:
            with pytest.raises(Unreachable, match="certificate"):
                await dialled(where, tls=Tls(ca_file=vouching.ca_file))

    play(story)


def test_nobody_there_and_nobody_answering_are_told_of_in_time() -> None:
    async def story() -> None:
        def make() -> Wire:
            return Wire(5.0, lambda wire: None, lambda message: None)

        with pytest.raises(Unreachable):
            await dial((HOST, free_port()), None, None, make, 1.0)
        silent = socket.create_server((HOST, 0))  # connects, and never answers
        with silent, pytest.raises(Unreachable, match="in time"):
            await dial(silent.getsockname(), None, None, make, 0.2)

    play(story)
