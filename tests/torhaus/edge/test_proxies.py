"""Who is behind a proxy, and whose word about it counts."""

from ipaddress import ip_network

import pytest

from tests.torhaus.edge.fakes import head
from torhaus.edge.peer import UNKNOWN, peer_of
from torhaus.edge.proxies import MOST_HOPS, Proxies

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))
OURS = "10.0.0.1"


def client(ip: str = OURS, *, standard: bool = False, tls: bool = False, **headers: str):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    proxies = Proxies(TRUSTED, standard=standard)
    return proxies.client(peer_of(ip, tls=tls), head(named).headers)


@pytest.mark.parametrize(
    ("told", "ip"),
    [
        ("198.51.100.7", "198.51.100.7"),
        ("198.51.100.7:4711", "198.51.100.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("1.1.1.1, 198.51.100.7", "198.51.100.7"),
        ("1.1.1.1, 198.51.100.7, 10.0.0.9", "198.51.100.7"),
        ("198.51.100.7, fd00::1", "198.51.100.7"),
        ("10.0.0.8, 10.0.0.9", "10.0.0.8"),
        ("::ffff:198.51.100.7", "198.51.100.7"),
        ("198.51.100.7, evil", UNKNOWN),
        ("unknown", UNKNOWN),
        ("", UNKNOWN),
        ("198.51.100.7,", UNKNOWN),
        ("198.51.100.7:port", UNKNOWN),
        ("fe80::1%eth0", UNKNOWN),
        ("[2001:db8::7]x", UNKNOWN),
        (", ".join(["10.0.0.9"] * (MOST_HOPS + 1)), UNKNOWN),
    ],
)
def test_the_last_hop_that_is_no_trusted_proxy_has_called(told: str, ip: str) -> None:
    found = client(x_forwarded_for=told, x_forwarded_proto="https")

    assert (found.ip, found.proxied) == (ip, True)
    assert found.public is (ip == UNKNOWN or peer_of(ip, tls=True).public)


@pytest.mark.parametrize("ip", ["198.51.100.1", "127.0.0.1", "", "/run/sock"])
def test_nobody_else_is_believed(ip: str) -> None:
    found = client(
        ip, x_forwarded_for="10.1.1.1", x_forwarded_proto="https", forwarded="for=1.1.1.1"
    )

    assert found == peer_of(ip, tls=False)


def test_a_proxy_that_tells_of_nobody_is_itself() -> None:
    assert client(x_forwarded_proto="https", x_real_ip="1.2.3.4").ip == OURS


@pytest.mark.parametrize(
    ("proto", "tls", "vague"),
    [
        ("https", True, False),
        ("HTTPS", True, False),
        ("https, https", True, False),
        ("https, http", False, False),
        ("http, https", False, False),
        ("http", False, False),
        ("wss", False, False),
        ("", False, True),
    ],
)
def test_https_is_what_every_hop_says_was_https(proto: str, tls: bool, vague: bool) -> None:
    found = client(x_forwarded_for="198.51.100.7", x_forwarded_proto=proto)

    assert (found.tls, found.vague) == (tls, vague)


def test_the_proxys_own_tls_says_nothing_about_the_caller() -> None:
    assert not client(tls=True, x_forwarded_for="198.51.100.7", x_forwarded_proto="http").tls


@pytest.mark.parametrize(
    ("told", "ip", "tls"),
    [
        ("for=198.51.100.7;proto=https", "198.51.100.7", True),
        ('For="[2001:db8::7]:47";Proto=https', "2001:db8::7", True),
        ("for=1.1.1.1, for=198.51.100.7;proto=https;by=10.0.0.1", "198.51.100.7", True),
        ("for=198.51.100.7;proto=http, for=10.0.0.9;proto=https", "198.51.100.7", False),
        ("for=198.51.100.7;host=evil.example", "198.51.100.7", False),
        ("for=_hidden;proto=https", UNKNOWN, True),
        ("for=unknown;proto=https", UNKNOWN, True),
        ("proto=https", UNKNOWN, True),
        ("for=1.1.1.1;for=198.51.100.7", UNKNOWN, False),
        ('for="1.1.1.1, for=198.51.100.7', UNKNOWN, False),
        ("garbage", UNKNOWN, False),
    ],
)
def test_the_standard_header_is_read_where_it_is_the_configured_one(
    told: str, ip: str, tls: bool
) -> None:
    found = client(standard=True, forwarded=told, x_forwarded_for="9.9.9.9")

    assert (found.ip, found.tls) == (ip, tls)


def test_the_other_header_is_the_callers_own_and_is_not_read() -> None:
    assert client(forwarded="for=9.9.9.9;proto=https").ip == OURS
    assert client(standard=True, x_forwarded_for="9.9.9.9", x_forwarded_proto="https").ip == OURS


def test_lines_of_one_header_are_one_list_whoever_added_them() -> None:
    made = head({"x-forwarded-for": "127.0.0.1"})
    made.add(b"X-Forwarded-For", b"198.51.100.7 ")

    assert Proxies(TRUSTED).client(peer_of(OURS, tls=False), made.headers).ip == "198.51.100.7"


def test_who_has_called_is_not_read_twice() -> None:
    first = client(x_forwarded_for="10.0.0.8", x_forwarded_proto="https")

    assert Proxies(TRUSTED).client(first, head({"x-forwarded-for": "1.1.1.1"}).headers) is first


def test_without_networks_there_is_nobody_to_believe() -> None:
    assert not Proxies()
    assert Proxies(TRUSTED)
