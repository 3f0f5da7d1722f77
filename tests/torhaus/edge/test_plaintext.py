"""Requests without TLS: refused where others could read along."""

from contextlib import suppress

import pytest

from tests.torhaus.edge.fakes import exchange, head
from tests.torhaus.edge.test_admission import RULES
from torhaus.config.settings import Settings
from torhaus.edge import plaintext
from torhaus.edge.admission import Admission, Denied
from torhaus.edge.peer import Peer, peer_of
from torhaus.edge.plaintext import Exposed

PUBLIC, PRIVATE, HERE = "8.8.8.8", "10.1.2.3", "127.0.0.1"
VAGUE = Peer(PUBLIC, loopback=False, public=True, tls=False, proxied=True, vague=True)


@pytest.mark.parametrize(
    ("rule", "ip", "refused"),
    [
        ("private", PUBLIC, True),
        ("private", PRIVATE, False),
        ("private", HERE, False),
        ("loopback", PUBLIC, True),
        ("loopback", PRIVATE, True),
        ("loopback", HERE, False),
        ("any", PUBLIC, False),
    ],
)
def test_who_may_come_without_tls(rule: str, ip: str, refused: bool) -> None:
    assert plaintext.refused(rule, peer_of(ip, tls=False)) is refused
    assert not plaintext.refused(rule, peer_of(ip, tls=True))


def test_the_refused_are_told_what_to_type() -> None:
    peer = peer_of(PUBLIC, tls=False)

    said = plaintext.reason("https://gw.example", peer, "github")
    assert "claude mcp add --transport http github https://gw.example/mcp/github" in said
    assert "torhaus https://gw.example/mcp" in plaintext.reason("https://gw.example", peer, "")
    assert "https://YOUR-GATEWAY" in plaintext.reason("http://gw.example", peer, "github")
    assert "claude" not in plaintext.reason("https://gw.example", peer, None)
    assert "X-Forwarded-Proto" in plaintext.reason("https://gw.example", VAGUE, "github")


def test_every_credential_that_came_in_the_clear_is_found() -> None:
    peer = peer_of(PUBLIC, tls=False)
    cookie = "x=1; torhaus=ths_b; __Host-torhaus=ths_c"
    sent = {"authorization": "Bearer thk_a", "apikey": "tht_misplaced", "cookie": cookie}

    assert plaintext.exposed(peer, head(sent).headers) == [
        Exposed(b"thk_a", PUBLIC),
        Exposed(b"tht_misplaced", PUBLIC),
        Exposed(b"ths_b", PUBLIC),
        Exposed(b"ths_c", PUBLIC),
    ]
    assert plaintext.exposed(peer, {}) == []


def test_where_nobody_knows_how_it_came_nothing_is_taken_away() -> None:
    assert plaintext.exposed(VAGUE, head({"apikey": "thk_a"}).headers) == []


def test_the_door_refuses_tells_of_it_and_reads_no_key() -> None:
    seen: list[Exposed] = []
    door = Admission(Settings(public_url="https://gw.example"), exposed=seen.append)

    with pytest.raises(Denied) as denied:
        door.admit(exchange({"host": "gw.example", "apikey": "alice-key"}, ip=PUBLIC), RULES)

    assert denied.value.error.status == 403
    assert "claude mcp add --transport http github https://gw.example" in str(denied.value)
    assert seen == [Exposed(b"alice-key", PUBLIC)]


def test_the_door_tells_of_private_peers_that_it_serves() -> None:
    seen: list[str] = []
    door = Admission(Settings(public_url="https://gw.example"), open_served=seen.append)

    for ip in (PRIVATE, HERE, PUBLIC):
        with suppress(Denied):
            door.admit(exchange({"host": "gw.example", "apikey": "alice-key"}, ip=ip), RULES)

    assert seen == [PRIVATE]
