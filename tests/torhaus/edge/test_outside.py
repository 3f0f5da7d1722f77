from typing import Any

from torhaus.edge.outside import outside


def scope(*headers: tuple[bytes, bytes], **changes: Any) -> dict[str, Any]:
    usual = {
        "type": "http",
        "method": "POST",
        "path": "/api/v1/me",
        "scheme": "http",
        "headers": list(headers),
        "client": ("192.0.2.7", 4711),
    }
    return {**usual, **changes}


def test_a_request_is_looked_at_as_one_of_our_own_lane() -> None:
    asking = outside(scope((b"host", b"gw"), (b"Origin", b"https://a")))

    assert asking.head.method == b"POST"
    assert asking.head.headers == {b"host": b"gw", b"origin": b"https://a"}
    assert (asking.peer.ip, asking.peer.tls) == ("192.0.2.7", False)


def test_a_header_that_stands_twice_is_noticed() -> None:
    asking = outside(scope((b"apikey", b"one"), (b"apikey", b"two")))

    assert asking.head.twice == [b"apikey"]
    assert asking.head.headers[b"apikey"] == b"one"


def test_a_peer_without_an_address_is_nobody_special() -> None:
    asking = outside(scope(client=None, scheme="https"))

    assert (asking.peer.ip, asking.peer.loopback, asking.peer.tls) == ("", False, True)
