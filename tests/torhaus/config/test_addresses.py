from ipaddress import ip_network

import pytest

from torhaus.config.addresses import (
    email,
    host,
    is_loopback,
    is_private,
    networks,
    origin,
    public_url,
    url,
)
from torhaus.config.problems import FaultError


@pytest.mark.parametrize(
    "text",
    ["https://mcp.github.com", "http://127.0.0.1:9000/mcp", "http://[::1]:9000/a?b=c",
     "HTTPS://Example.com/x", "http://my_host:1"],
)  # fmt: skip
def test_server_urls_stay_as_written(text: str) -> None:
    assert url(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "mcp.github.com", "ftp://x.de", "file:///etc/passwd", "https://", "https:///x",
     "https://user:pw@x.de", "https://@x.de", "https://x.de/#a", "https://x.de/#",
     "https://x.de:0", "https://x.de:99999", "https://x.de:a", "https://x .de", "https://x.de/\n",
     "https://bücher.de", "https://x..de", "https://[::1", "https://[fe80::1%25eth0]/",
     "https://x.de\\@evil.de", "https://" + "a" * 300, "javascript:alert(1)"],
)  # fmt: skip
def test_other_urls_are_refused_without_repeating_them(text: str) -> None:
    with pytest.raises(FaultError) as caught:
        url(text)
    assert len(text) < 9 or text not in caught.value.message + caught.value.fix


def test_a_public_url_is_an_origin() -> None:
    assert public_url("HTTPS://Gateway.Example.com:8443/") == "https://gateway.example.com:8443"
    for text in ("https://x.de/gateway", "https://x.de/?a=b"):
        with pytest.raises(FaultError, match="must not have a path"):
            public_url(text)


def test_origins_and_hosts_are_lower_case_and_bare() -> None:
    assert origin("https://App.Example.com/") == "https://app.example.com"
    assert origin("vscode-file://vscode-app") == "vscode-file://vscode-app"
    assert host("GW.internal:8080") == "gw.internal:8080"
    assert host("[::1]:8080") == "[::1]:8080"


@pytest.mark.parametrize(
    "text", ["null", "*", "https://a.de/x", "app.example.com", "https://u@a.de"]
)
def test_what_is_not_an_origin_is_refused(text: str) -> None:
    with pytest.raises(FaultError):
        origin(text)


@pytest.mark.parametrize("text", ["https://a.de", "a.de/x", "*", "", "a b", "u@a.de", "a.de?x"])
def test_what_is_not_a_host_is_refused(text: str) -> None:
    with pytest.raises(FaultError, match="not a host name"):
        host(text)


def test_networks_have_names_too() -> None:
    found = networks(["loopback", "10.0.0.0/8", "192.168.1.7", "127.0.0.0/8"])

    assert [str(n) for n in found] == ["127.0.0.0/8", "::1/128", "10.0.0.0/8", "192.168.1.7/32"]


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        (["10.0.0.5/8"], "did you mean 10.0.0.0/8?"),
        (["office"], "loopback or private"),
        ("loopback", "[loopback]"),
        ([10], "[loopback]"),
        (None, "[loopback]"),
    ],
)
def test_what_is_not_a_network_is_refused(value: object, fix: str) -> None:
    with pytest.raises(FaultError) as caught:
        networks(value)
    assert fix in caught.value.fix


@pytest.mark.parametrize(
    ("name", "loopback"),
    [("localhost", True), ("127.8.9.1", True), ("::1", True), ("[::1]", True), ("0.0.0.0", False),
     ("localhost.evil.de", False), ("10.0.0.1", False), ("", False)],
)  # fmt: skip
def test_loopback_is_this_machine_only(name: str, loopback: bool) -> None:
    assert is_loopback(name) is loopback


@pytest.mark.parametrize(
    ("network", "private"),
    [("10.1.0.0/16", True), ("::1/128", True), ("172.0.0.0/8", False), ("0.0.0.0/0", False),
     ("::/0", False), ("192.168.1.1/32", True), ("8.8.8.8/32", False)],
)  # fmt: skip
def test_private_networks_lie_wholly_within_private_ranges(network: str, private: bool) -> None:
    assert is_private(ip_network(network)) is private


def test_an_address_of_a_person_is_lower_case() -> None:
    assert email("Alice@Example.COM") == "alice@example.com"


@pytest.mark.parametrize("value", ["alice", "a@b@c", "a b@c.de", "", None, 5, "a@b\n", "<a@b.de>"])
def test_what_is_not_an_email_is_refused(value: object) -> None:
    with pytest.raises(FaultError, match="not an e-mail address"):
        email(value)
