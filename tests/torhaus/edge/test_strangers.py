from math import inf

from tests.torhaus.cast import NOW, Clock
from torhaus.edge.strangers import MOST, WINDOW, Refusals
from torhaus.model.strangers import Strangers


def test_refusals_from_one_address_are_told_of_once_a_minute() -> None:
    clock = Clock(NOW)
    refusals = Refusals(clock=clock)
    for _ in range(100):
        refusals.note("192.0.2.7", "the key is not valid here")
        clock.turn(0.5)

    assert refusals.due(clock()) == []
    clock.turn(10)
    (told,) = refusals.due(clock())

    assert told == Strangers(
        ip="192.0.2.7",
        reason="the key is not valid here",
        began=NOW,
        since="2026-09-21T14:13:20.000Z",
        until="2026-09-21T14:14:09.500Z",
        count=100,
    )
    assert refusals.due(inf) == []


def test_every_address_has_a_minute_of_its_own() -> None:
    clock = Clock(NOW)
    refusals = Refusals(clock=clock)
    refusals.note("192.0.2.1", "no")
    clock.turn(30)
    refusals.note("192.0.2.2", "no")

    assert [each.ip for each in refusals.due(NOW + WINDOW)] == ["192.0.2.1"]
    assert [each.ip for each in refusals.due()] == ["192.0.2.2"]


def test_a_network_of_one_subscriber_counts_as_one_address() -> None:
    refusals = Refusals(clock=Clock(NOW))
    for ip in ("2001:db8::1", "2001:db8::2:3", "2001:db8:0:1::1", "::ffff:192.0.2.1", "192.0.2.1"):
        refusals.note(ip, "no")

    told = {each.ip: (each.count, each.addresses) for each in refusals.due()}

    assert told == {"2001:db8::/64": (2, 1), "2001:db8:0:1::/64": (1, 1), "192.0.2.1": (2, 1)}


def test_very_many_addresses_are_told_of_together() -> None:
    refusals = Refusals(clock=Clock(NOW))
    for n in range(MOST + 20):
        refusals.note(f"10.0.{n // 256}.{n % 256}", "no")

    told = refusals.due()

    assert len(told) == MOST + 1
    rest = told[-1]
    assert (rest.ip, rest.count, rest.addresses) == ("", 20, 20)


def test_a_peer_without_an_address_is_counted_as_well() -> None:
    refusals = Refusals(clock=Clock(NOW))
    refusals.note("", "no")
    refusals.note("/run/torhaus.sock", "no")

    assert sorted(each.ip for each in refusals.due()) == ["", "/run/torhaus.sock"]
