from collections.abc import Mapping
from datetime import UTC, date, datetime
from math import inf

import pytest

from torhaus.config.phases import Limited, end_of, phases, start_of
from torhaus.model.access import Access
from torhaus.model.grant import Grant
from torhaus.model.people import Phase, Principal


def grant(role: str, begins: float, ends: float, *, replace: bool = False) -> Grant:
    return Grant(id="1", user="u@x.de", role=role, begins=begins, ends=ends, replace=replace)


def accessing(roles: tuple[str, ...], _limited: Limited) -> Mapping[str, Access]:
    return {role: Access() for role in roles}


def spans(found: tuple[Phase, ...]) -> list[tuple[float, float, tuple[str, ...]]]:
    return [(phase.begins, phase.ends, phase.roles) for phase in found]


def test_without_grants_one_phase_lasts_for_ever() -> None:
    assert spans(phases(["a", "a"], [], accessing)) == [(-inf, inf, ("a",))]


def test_a_grant_adds_its_role_while_it_lasts() -> None:
    found = phases(["a"], [grant("b", 10, 20)], accessing)

    assert spans(found) == [(-inf, 10, ("a",)), (10, 20, ("a", "b")), (20, inf, ("a",))]
    assert set(found[1].access) == {"a", "b"}


def test_a_grant_that_replaces_puts_own_roles_aside_and_leaves_other_grants() -> None:
    found = phases(["a"], [grant("b", 10, 20, replace=True), grant("c", 15, 30)], accessing)

    assert spans(found) == [
        (-inf, 10, ("a",)),
        (10, 15, ("b",)),
        (15, 20, ("b", "c")),
        (20, 30, ("a", "c")),
        (30, inf, ("a",)),
    ]


def test_phases_that_are_the_same_are_one() -> None:
    found = phases(["a"], [grant("b", 10, 20), grant("b", 20, 30), grant("a", 5, 8)], accessing)

    assert spans(found) == [(-inf, 10, ("a",)), (10, 30, ("a", "b")), (30, inf, ("a",))]


def test_what_counts_on_some_servers_counts_everywhere_while_it_is_granted() -> None:
    some = {"b": ("github",)}
    grants = [grant("b", 10, 20), grant("c", 30, 40, replace=True)]

    found = phases(["a"], grants, accessing, some)

    assert [(each.begins, each.roles, each.limited) for each in found] == [
        (-inf, ("a", "b"), some),
        (10, ("a", "b"), {}),
        (20, ("a", "b"), some),
        (30, ("c",), {}),
        (40, ("a", "b"), some),
    ]
    assert phases(["a"], [], accessing, some)[0].limited == some


def test_a_grant_without_a_beginning_holds_from_the_first() -> None:
    assert spans(phases([], [grant("b", -inf, 20)], accessing)) == [
        (-inf, 20, ("b",)),
        (20, inf, ()),
    ]


def test_a_grant_begins_with_its_first_second_and_ends_before_its_last() -> None:
    found = phases(["a"], [grant("b", 10, 20)], accessing)

    held = {now: [p.roles for p in found if p.begins <= now < p.ends] for now in (9.9, 10, 20)}
    assert held == {9.9: [("a",)], 10: [("a", "b")], 20: [("a",)]}


def test_a_day_starts_at_midnight_of_its_zone() -> None:
    assert (
        start_of(date(2025, 10, 1), "Europe/Berlin")
        == datetime(2025, 9, 30, 22, tzinfo=UTC).timestamp()
    )
    # Clocks skip midnight in Cairo on 28 April 2023.
    assert start_of(date(2023, 4, 28), "Africa/Cairo") == end_of(date(2023, 4, 27), "Africa/Cairo")


@pytest.mark.parametrize(
    ("day", "zone", "end"),
    [
        (date(2025, 12, 31), "UTC", datetime(2026, 1, 1, tzinfo=UTC)),
        (date(2025, 12, 31), "Europe/Berlin", datetime(2025, 12, 31, 23, tzinfo=UTC)),
        (date(2025, 6, 30), "Europe/Berlin", datetime(2025, 6, 30, 22, tzinfo=UTC)),
        # Clocks skip midnight in Cairo on 28 April 2023: the day ends when they do.
        (date(2023, 4, 27), "Africa/Cairo", datetime(2023, 4, 27, 22, tzinfo=UTC)),
        (datetime.fromisoformat("2025-07-01T18:00"), "Europe/Berlin",
         datetime(2025, 7, 1, 16, tzinfo=UTC)),
        (datetime(2025, 7, 1, 18, tzinfo=UTC), "Asia/Tokyo", datetime(2025, 7, 1, 18, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_access_lasts_to_the_end_of_the_day(day: date | datetime, zone: str, end: datetime) -> None:
    assert end_of(day, zone) == end.timestamp()


@pytest.mark.parametrize("expires", [None, 5.0, 12.0, 25.0, 99.0])
@pytest.mark.parametrize("held", [["a"], []])
def test_somebodys_roles_are_those_of_his_phase(expires: float | None, held: list[str]) -> None:
    found = phases(held, [grant("b", 10, 20), grant("c", 15, 30)], accessing)

    for each in (found, found[:1], ()):
        somebody = Principal(id="u", email="u@x.de", expires=expires, phases=each)
        for now in (-1.0, 4.0, 5.0, 10.0, 12.0, 19.9, 20.0, 25.0, 30.0, 100.0):
            assert somebody.roles(now) == somebody.phase(now).roles
