"""What is fetched where others point, and what is never reached, over real sockets."""

import asyncio
import gzip
from ipaddress import ip_address, ip_network

import httpcore
import pytest

from tests.torhaus.upstream.certificates import authority
from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import run
from tests.torhaus.upstream.servers.http_server import answering, head, http_server, whole
from torhaus.model.fetch import FetchError
from torhaus.upstream.egress import Bounds, Egress, local, origin, public, resolve, unwrapped

LOOPBACK = [ip_network("127.0.0.0/8")]
TRICKS = (
    "http://127.0.0.1:{port}/",
    "http://localhost:{port}/",
    "http://127.1:{port}/",
    "http://2130706433:{port}/",
    "http://0x7f.0.0.1:{port}/",
    "http://0177.0.0.1:{port}/",
    "http://[::1]:{port}/",
    "http://[::ffff:127.0.0.1]:{port}/",
    "http://0.0.0.0:{port}/",
    "http://localhost.:{port}/",
    "http://169.254.169.254/latest/",
    "http://[fd00:ec2::254]/",
    "http://10.0.0.1/",
    "http://100.64.0.1/",
    "http://[64:ff9b::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://224.0.0.1/",
    "http://192.0.2.1/",
    "http://①②⑦.⓪.⓪.①/",
)
HIDDEN = (
    "127.0.0.1",
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "169.254.169.254",
    "172.16.0.1",
    "192.0.2.1",
    "192.168.1.1",
    "198.18.0.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:10.0.0.1",
    "2002:7f00:1::",
    "2002:a00:1::1",
    "64:ff9b::a00:1",
    "64:ff9b:1::808:808",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    "2001:db8::1",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "ff02::1",
)


class Net(httpcore.AsyncNetworkBackend):
    """Reaches whatever it is told to at 127.0.0.1, and remembers what it was told."""

    def __init__(self) -> None:
        self.reached: list[str] = []
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        self.reached.append(host)
        return await self._inner.connect_tcp("127.0.0.1", port, timeout)


class Names:
    """A resolver whose answers change: each list once, the last ever after."""

    def __init__(self, *answers: list[str]) -> None:
        self.asked: list[str] = []
        self._left = list(answers)

    async def __call__(self, host, port):
        self.asked.append(host)
        return self._left.pop(0) if len(self._left) > 1 else self._left[0]


async def refused(awaitable) -> str:
    with pytest.raises(FetchError) as error:
        await awaitable
    return str(error.value)


def test_no_address_trick_reaches_this_machine_or_its_network():
    async def story():
        async with http_server(answering(whole(b"secret"))) as server:
            net = Net()
            for spelled in TRICKS:
                for url in (spelled, spelled.replace("http:", "https:")):
                    said = await refused(Egress(network=net).get(url.format(port=server.port)))
                    assert "secret" not in said
            assert net.reached == []
            assert server.wires == []

    run(story())


@pytest.mark.parametrize("text", HIDDEN)
def test_an_address_that_is_not_public_is_not_reached_under_any_name(text):
    net = Net()

    async def story():
        egress = Egress(resolving=Names([text]), network=net)
        assert "idp.example" in await refused(egress.get("https://idp.example/keys"))

    run(story())
    assert net.reached == []


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_a_public_address_is_public_in_every_form(text):
    address = unwrapped(ip_address(text))

    assert address is not None
    assert public(address)


def test_one_private_address_among_public_ones_is_enough_to_refuse():
    async def story():
        egress = Egress(resolving=Names(["8.8.8.8", "10.0.0.1"]), network=Net())
        assert "10.0.0.1" in await refused(egress.get("https://idp.example/"))

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_name_that_changes_its_address_is_reached_where_it_was_checked(tmp_path, loop):
    ours = authority(tmp_path)
    net = Net()
    names = Names(["8.8.8.8"], ["127.0.0.1"])

    async def story():
        tls = ours.server("idp.example")
        seen: list[str] = []
        tls.sni_callback = lambda _, name, __: seen.append(name)
        async with http_server(answering(whole(b"{}", "200 OK", "X-A: 1")), tls=tls) as server:
            egress = Egress(ca_file=ours.ca_file, resolving=names, network=net)
            url = f"https://idp.example:{server.port}/keys?a=1"
            fetched = await egress.get(url, {"Accept": "application/json"})
            assert (fetched.status, fetched.headers["x-a"], fetched.body) == (200, "1", b"{}")
            assert seen == ["idp.example"]
            assert "127.0.0.1" in await refused(egress.get(url))
            [heard] = server.heard
            assert heard.path == "/keys?a=1"
            assert heard.headers["host"] == f"idp.example:{server.port}"
            assert heard.headers["accept"] == "application/json"
            assert heard.headers["accept-encoding"] == "identity"

    run(story(), loop)
    assert net.reached == ["8.8.8.8"]
    assert names.asked == ["idp.example", "idp.example"]


def test_a_certificate_for_another_name_is_not_believed(tmp_path):
    ours = authority(tmp_path)

    async def story():
        async with http_server(answering(whole(b"{}")), tls=ours.server("other.example")) as server:
            egress = Egress(ca_file=ours.ca_file, resolving=Names(["8.8.8.8"]), network=Net())
            said = await refused(egress.get(f"https://idp.example:{server.port}/"))
            assert said == "idp.example cannot be reached: its certificate is not trusted"

    run(story())


def test_a_listed_network_is_reached_without_tls():
    async def story():
        async with http_server(answering(whole(b"1"))) as server:
            egress = Egress(LOOPBACK)
            url = f"http://127.0.0.1:{server.port}/"
            assert (await egress.get(url)).body == b"1"

    run(story())


def test_what_the_administrator_named_may_be_on_loopback_and_nothing_else_there():
    async def story():
        async with http_server(answering(whole(b"1"))) as server:
            url = f"http://127.0.0.1:{server.port}"
            egress = Egress()
            assert (await egress.get(f"{url}/keys", named=[f"{url}/issuer"])).body == b"1"
            other = [f"http://127.0.0.1:{server.port + 1}", f"https://127.0.0.1:{server.port}"]
            assert "https only" in await refused(egress.get(f"{url}/keys", named=other))

    run(story())


@pytest.mark.parametrize(
    ("text", "reached"),
    [("10.1.2.3", True), ("fd00::1", True), ("169.254.169.254", False), ("0.0.0.0", False)],
)
def test_a_named_server_may_be_in_a_private_network_but_no_metadata_service(text, reached):
    address = ip_address(text)

    assert local(address) is reached


def test_a_named_server_in_a_private_network_is_asked_over_https_only():
    net = Net()

    async def story():
        egress = Egress(resolving=Names(["10.1.2.3"]), network=net)
        said = await refused(egress.get("http://idp.corp/", named=["http://idp.corp"]))
        assert said == "idp.corp is asked over https only"

    run(story())
    assert net.reached == []


def test_no_redirect_is_followed():
    async def story():
        goes = head("302 Found", "location: http://127.0.0.1:9/", "content-length: 0")
        async with http_server(answering(goes)) as server:
            said = await refused(Egress(LOOPBACK).get(f"http://127.0.0.1:{server.port}/"))
            assert said == "127.0.0.1 answers with a redirect, and none is followed"

    run(story())


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (whole(b"secret" * 20000), "more than 65536 octets"),
        (whole(b"secret" * 20000, "500 Oops"), "more than 65536 octets"),
        (
            head("200 OK", "transfer-encoding: chunked") + b"fffff\r\n" + b"secret" * 20000,
            "more than 65536 octets",
        ),
        (
            whole(gzip.compress(b"secret" * 9999999), "200 OK", "Content-Encoding: gzip"),
            "compressed",
        ),
        (b"secret nonsense\r\n\r\n", "does not speak HTTP"),
        (head("200 OK", "content-length: 99") + b"secret", "does not speak HTTP"),
        (b"", "does not speak HTTP"),
    ],
    ids=["length", "error", "chunks", "gzip", "garbage", "short", "nothing"],
)
def test_bombs_and_garbage_are_refused_without_a_word_of_them(answer, said):
    async def script(wire):
        await wire.request()
        wire.say(answer)
        await wire.writer.drain()
        wire.close()

    async def story():
        async with http_server(script) as server:
            text = await refused(Egress(LOOPBACK).get(f"http://127.0.0.1:{server.port}/?k=secret"))
            assert said in text
            assert "secret" not in text

    run(story())


def test_the_limit_counts_to_the_octet():
    async def story():
        async with http_server(answering(whole(b"12345"))) as server:
            url = f"http://127.0.0.1:{server.port}/"
            assert (await Egress(LOOPBACK).get(url, limit=5)).body == b"12345"
            assert "more than 4 octets" in await refused(Egress(LOOPBACK).get(url, limit=4))

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_body_that_never_ends_is_given_up(loop):
    async def script(wire):
        await wire.request()
        wire.say(head("200 OK", "content-length: 1000"), b"1")
        await wire.gone()

    async def story():
        async with http_server(script) as server:
            egress = Egress(LOOPBACK, bounds=Bounds(total=0.2))
            said = await refused(egress.get(f"http://127.0.0.1:{server.port}/"))
            assert said == "127.0.0.1 took longer than 0.2 s"
            await asyncio.gather(*server.tasks)  # which saw us hang up

    run(story(), loop)


def test_a_resolver_that_hangs_is_given_up():
    async def never(host, port):
        await asyncio.Event().wait()

    async def story():
        egress = Egress(resolving=never, bounds=Bounds(total=0.05))
        assert "took longer" in await refused(egress.get("https://idp.example/"))

    run(story())


def test_a_form_is_posted_and_an_error_of_the_server_comes_back_whole():
    async def story():
        async with http_server(answering(whole(b'{"error":"invalid_grant"}', "400 No"))) as server:
            url = f"http://127.0.0.1:{server.port}/token"
            egress = Egress(LOOPBACK)
            fetched = await egress.post(url, {"code": "a&b=c", "ü": " "}, {"Authorization": "x"})
            assert (fetched.status, fetched.body) == (400, b'{"error":"invalid_grant"}')
            [heard] = server.heard
            assert heard.body == b"code=a%26b%3Dc&%C3%BC=+"
            assert heard.headers["content-type"] == "application/x-www-form-urlencoded"
            assert heard.headers["authorization"] == "x"

    run(story())


@pytest.mark.parametrize(
    "url",
    [
        "https://user@idp.example/",
        "https://user:word@idp.example/",
        "https://idp.example/#part",
        "https://idp.example/#",
        "ftp://idp.example/",
        "file:///etc/passwd",
        "//idp.example/",
        "https://",
        "https:///path",
        "https://idp.example\\@127.0.0.1/",
        "https://idp.example/\r\nX: y",
        "https://idp .example/",
        "https://[::1/",
        "https://idp.example:99999/",
        "https://[fe80::1%25eth0]/",
        "",
        "https://idp.example/" + "a" * 2048,
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_none(url):
    net = Net()

    async def story():
        await refused(Egress(resolving=Names(["8.8.8.8"]), network=net).get(url))

    run(story())
    assert net.reached == []


def test_an_ipv6_address_keeps_its_brackets_in_host():
    async def story():
        async with http_server(answering(whole(b"1"))) as server:
            egress = Egress([ip_network("::1/128")], network=Net())
            await egress.get(f"http://[::1]:{server.port}/")
            assert server.heard[0].headers["host"] == f"[::1]:{server.port}"

    run(story())


def test_an_origin_is_compared_as_one():
    assert origin("HTTPS://IdP.example/a?b") == origin("https://idp.example:443/")
    assert origin("https://idp.example:8443") != origin("https://idp.example")


def test_the_system_is_asked_for_names_and_takes_addresses_in_every_spelling():
    async def story():
        assert await resolve("127.1", 1) == ["127.0.0.1"]

    run(story())


def test_a_ca_file_that_is_none_is_named(tmp_path):
    (tmp_path / "none.pem").write_text("nothing")

    with pytest.raises(FetchError, match=r"egress.ca_file cannot be used: no certificate"):
        Egress(ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(FetchError, match=r"egress.ca_file cannot be used: No such file"):
        Egress(ca_file=str(tmp_path / "missing.pem"))
