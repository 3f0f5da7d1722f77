from ipaddress import ip_network

import msgspec
import pytest

from tests.torhaus.policy.people import alice, call
from torhaus.model.access import Origin
from torhaus.model.verdict import Allow, Deny
from torhaus.policy.decide import decide

NOW = 1_700_000_000.0
OFFICE = Origin(rule="office", networks=(ip_network("10.0.0.0/8"), ip_network("fd00::/8")))
CLIENTS = Origin(rule="clients", clients=frozenset({"Claude-Code", "cursor"}))


@pytest.mark.parametrize(
    ("ip", "inside"),
    [
        ("10.1.2.3", True),
        ("::ffff:10.1.2.3", True),
        ("fd00::1", True),
        ("192.0.2.7", False),
        ("::ffff:192.0.2.7", False),
        ("/run/torhaus.sock", False),
        ("", False),
        ("10.1.2.3 ", False),
        ("010.1.2.3", False),
    ],
)
@pytest.mark.parametrize("method", ["tools/call", "initialize", "tools/list"])
def test_requests_from_elsewhere_get_nothing(ip: str, method: str, *, inside: bool) -> None:
    by = alice("github:*", origins=(OFFICE,))
    asked = call("list_issues", by=by, method=method)

    verdict = decide(msgspec.structs.replace(asked, ip=ip), NOW)

    assert isinstance(verdict, Allow) is inside
    if isinstance(verdict, Deny):
        assert (verdict.rule, verdict.code) == ("office", "outside_network")


@pytest.mark.parametrize(
    ("client", "allowed"),
    [
        ("claude-code", True),
        ("CURSOR", True),
        ("claude-code ", False),
        ("claude", False),
        ("", False),
    ],
)
def test_only_clients_on_the_list_are_served(client: str, *, allowed: bool) -> None:
    by = alice("github:*", origins=(CLIENTS,))

    verdict = decide(call("list_issues", by=by, client=client), NOW)

    assert isinstance(verdict, Allow) is allowed
    if isinstance(verdict, Deny):
        assert (verdict.rule, verdict.code) == ("clients", "client_not_allowed")
        assert "Claude-Code, cursor only" in verdict.reason


def test_an_empty_name_on_the_list_is_nobodys() -> None:
    by = alice("github:*", origins=(Origin(rule="clients", clients=frozenset({""})),))

    assert isinstance(decide(call("list_issues", by=by, client=""), NOW), Deny)


def test_every_origin_must_hold() -> None:
    by = alice("github:*", origins=(CLIENTS, OFFICE))

    assert isinstance(decide(call("list_issues", by=by, client="cursor"), NOW), Deny)
