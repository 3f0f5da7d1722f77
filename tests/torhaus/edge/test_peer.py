import pytest

from torhaus.edge.peer import peer_of


@pytest.mark.parametrize(
    ("host", "loopback", "public"),
    [
        ("127.0.0.1", True, False),
        ("127.9.9.9", True, False),
        ("::1", True, False),
        ("::ffff:127.0.0.1", True, False),
        ("10.1.2.3", False, False),
        ("192.168.1.1", False, False),
        ("172.16.0.1", False, False),
        ("fd00::1", False, False),
        ("fe80::1", False, False),
        ("8.8.8.8", False, True),
        ("::ffff:8.8.8.8", False, True),
        ("2001:4860:4860::8888", False, True),
        ("", False, False),
        ("/run/torhaus.sock", False, False),
        ("localhost", False, False),
    ],
)
def test_a_peer_is_known_by_its_address(host: str, loopback: bool, public: bool):
    peer = peer_of(host, tls=False)

    assert (peer.loopback, peer.public) == (loopback, public)


def test_an_ipv4_peer_of_a_dual_stack_listener_is_named_as_ipv4():
    assert peer_of("::ffff:10.0.0.7", tls=True).ip == "10.0.0.7"
