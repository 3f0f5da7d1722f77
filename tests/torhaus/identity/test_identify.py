from ipaddress import ip_network

import pytest

from torhaus.identity.identify import anonymous, by_key
from torhaus.identity.keys import digest
from torhaus.model.networks import lies_in
from torhaus.model.people import AnonymousAccess, Principal
from torhaus.model.rules import Rules

ALICE = Principal(id="u-alice", email="alice@example.org")
OFFICE = Principal(id="anonymous-office", email="anonymous")
LOCAL = Principal(id="anonymous-local", email="anonymous")
RULES = Rules(
    version="1",
    keys={digest("alice-secret-key-abc123"): ALICE},
    anonymous=(
        AnonymousAccess((ip_network("10.0.0.0/8"), ip_network("fd00::/8")), OFFICE),
        AnonymousAccess((ip_network("127.0.0.0/8"), ip_network("::1/128")), LOCAL),
    ),
)


def test_a_key_leads_to_its_owner() -> None:
    assert by_key(RULES, b"alice-secret-key-abc123") is ALICE


@pytest.mark.parametrize("key", [b"", b"alice-secret-key-abc124", b"\xff", digest("x")])
def test_any_other_key_leads_to_nobody(key: bytes) -> None:
    assert by_key(RULES, key) is None


@pytest.mark.parametrize(
    ("ip", "expected"),
    [
        ("10.1.2.3", OFFICE),
        ("fd00::1", OFFICE),
        ("127.0.0.1", LOCAL),
        ("::1", LOCAL),
        ("::ffff:127.0.0.1", LOCAL),
        ("192.0.2.1", None),
        ("::ffff:192.0.2.1", None),
        ("2001:db8::1", None),
        ("", None),
        ("/run/torhaus.sock", None),
        ("127.0.0.1:80", None),
    ],
)
def test_only_listed_networks_act_without_a_credential(ip: str, expected: Principal | None) -> None:
    assert anonymous(RULES, ip) is expected


def test_without_networks_nobody_is_anonymous() -> None:
    assert anonymous(Rules(version="1"), "127.0.0.1") is None


@pytest.mark.parametrize(
    ("ip", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::1", True),
        ("11.0.0.1", False),
        ("fe80::1%eth0", False),
        ("", False),
        ("somewhere", False),
    ],
)
def test_an_address_is_in_a_network_or_not(ip: str, inside: bool) -> None:
    networks = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))

    assert lies_in(networks, ip) is inside
    assert not lies_in((), ip)
