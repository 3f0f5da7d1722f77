from torhaus.web.oauth.pace import EVERYBODY, MOST, SITE, Pace


def test_an_hour_holds_so_many() -> None:
    pace = Pace()

    assert [pace.wait("192.0.2.7", 2, now) for now in (0.0, 10.0, 20.0)] == [0.0, 0.0, 3580.0]
    assert pace.wait("192.0.2.8", 2, 20.0) == 0.0
    assert pace.wait("192.0.2.7", 2, 3600.0) == 0.0
    assert pace.wait("192.0.2.7", 2, 3600.0) == 10.0


def test_a_network_of_one_person_is_one_address() -> None:
    pace = Pace()

    assert pace.wait("2001:db8::1", 1, 0.0) == 0.0
    assert pace.wait("2001:db8::2", 1, 0.0) > 0
    assert pace.wait("2001:db8:0:1::2", 1, 0.0) == 0.0
    assert pace.wait("::ffff:192.0.2.7", 1, 0.0) == 0.0
    assert pace.wait("192.0.2.7", 1, 0.0) > 0
    assert pace.wait("", 1, 0.0) == 0.0


def test_it_remembers_only_so_many_addresses() -> None:
    pace = Pace()

    for number in range(MOST + 10):
        pace.wait(f"host-{number}", 1, 0.0)

    assert len(pace._seen) == MOST


def test_who_has_many_networks_has_not_as_many_times_as_much() -> None:
    pace = Pace()

    tries = [pace.wait(f"2001:db8:7:{number:x}::1", 5, 0.0) for number in range(100)]

    assert tries.count(0.0) == SITE * 5
    assert tries[-1] == 3600.0
    assert pace.wait("2001:db8:8::1", 5, 0.0) == 0.0
    assert pace.wait("2001:db8:7:ffff::1", 5, 3600.0) == 0.0


def test_all_together_have_room_for_so_many() -> None:
    pace = Pace()

    tries = [pace.wait(f"host-{number}", 2, float(number)) for number in range(EVERYBODY * 2 + 5)]

    assert tries.count(0.0) == EVERYBODY * 2
    assert tries[-1] == 3600.0 - (EVERYBODY * 2 + 4)
    assert pace.wait("another", 2, 3600.0) == 0.0
