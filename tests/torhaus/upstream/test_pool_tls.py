"""Whom the HTTP client believes, over real TLS with an authority of the tests."""

import ssl

import pytest

from tests.torhaus.upstream.certificates import authority
from tests.torhaus.upstream.pages import LOOPS, get, pool
from tests.torhaus.upstream.pipes import run
from tests.torhaus.upstream.servers.http_server import head, http_server, result, whole
from torhaus.model.ports import UpstreamError
from torhaus.upstream.http import ConnectError, target
from torhaus.upstream.pool import trust


async def polite(wire):
    """Answers everything at once."""
    while True:
        await wire.request()
        wire.say(whole(b"%d" % wire.number))


async def waiting(wire):
    """Never answers."""
    await wire.request()
    await wire.gone()


def tls_story(tmp_path, name, story, *, days=30, known=True, loop="uvloop"):
    ours = authority(tmp_path)

    async def play():
        async with http_server(polite, tls=ours.server(name, days=days)) as server:
            ca_file = ours.ca_file if known else None
            async with pool(server, ca_file=ca_file) as opened:
                await story(server, opened)

    run(play(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_with_our_own_authority_is_trusted_by_ca_file(tmp_path, loop):
    async def story(server, opened):
        assert (await get(opened)).body == b"0"
        assert (await get(opened)).body == b"0"

    tls_story(tmp_path, "127.0.0.1", story, loop=loop)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize(
    ("name", "more", "reason"),
    [
        ("other.example", {}, "certificate is not valid for '127.0.0.1'"),
        ("127.0.0.1", {"known": False}, "unable to get local issuer certificate"),
        ("127.0.0.1", {"days": -2}, "certificate has expired"),
    ],
)
def test_a_server_that_cannot_prove_who_it_is_gets_nothing(tmp_path, name, more, reason, loop):
    async def story(server, opened):
        with pytest.raises(ConnectError, match=r"TLS with 127\.0\.0\.1:.* failed: ") as caught:
            await get(opened)

        assert reason in str(caught.value)
        assert not server.heard

    tls_story(tmp_path, name, story, loop=loop, **more)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_server_without_tls_on_a_https_address_says_so(loop):
    async def script(wire):
        await wire.reader.read(10)
        wire.say(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n")
        wire.close()

    async def story():
        async with http_server(script) as server:
            url = server.url.replace("http", "https")
            async with pool(server, url=url) as opened:
                with pytest.raises(ConnectError, match=r"TLS with 127\.0\.0\.1:.* failed: "):
                    await get(opened)

    run(story(), loop)


def test_a_tls_handshake_that_hangs_is_given_up_in_time():
    async def story():
        async with http_server(waiting) as server:
            url = server.url.replace("http", "https")
            async with pool(server, url=url, connect_timeout=0.3) as opened:
                with pytest.raises(ConnectError, match=r"within 0\.3 s"):
                    await get(opened)

    run(story())


def test_a_ca_file_adds_to_the_systems_authorities(tmp_path):
    ours = authority(tmp_path)
    where = target("https://a.example/")

    both, system = trust(where, ours.ca_file), trust(where, None)

    assert len(both.get_ca_certs()) == len(system.get_ca_certs()) + 1
    assert both.verify_mode is ssl.CERT_REQUIRED
    assert both.check_hostname


@pytest.mark.parametrize(
    ("content", "reason"), [(None, "No such file"), (b"no certificate", "no certificate")]
)
def test_a_ca_file_that_cannot_be_used_says_why(tmp_path, content, reason):
    path = tmp_path / "ca.pem"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(UpstreamError, match=f"its ca_file cannot be used: {reason}"):
        trust(target("https://a.example/"), str(path))


def test_without_tls_there_is_nobody_to_trust():
    assert trust(target("http://a.example/"), "/no/such/file") is None


def test_a_tls_server_that_closes_in_an_answer_without_length_ends_it(tmp_path):
    async def script(wire):
        await wire.request()
        wire.say(head("200 OK"), result(1))
        await wire.writer.drain()
        wire.close()

    ours = authority(tmp_path)

    async def story():
        async with (
            http_server(script, tls=ours.server()) as server,
            pool(server, ca_file=ours.ca_file) as opened,
        ):
            assert (await get(opened)).body == result(1)

    run(story())
