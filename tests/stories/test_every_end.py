"""Every way in which access ends, for everything that it was held with: the next use is refused."""

from collections.abc import Iterator

import pytest

from tests.stories.holding import holding
from tests.stories.somebody import FILE, Place
from tests.stories.ways import CASES, ended, place

PEOPLE = len(CASES) + 1


@pytest.fixture(scope="module")
def at(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    with place(tmp_path_factory.mktemp("every") / "town", PEOPLE) as made:
        yield made


@pytest.mark.parametrize(("way", "sort"), CASES)
def test_the_next_use_of_everything_is_refused_and_streams_end(
    way: str, sort: str, at: Place
) -> None:
    ended(at, way, sort)


def test_a_call_that_waits_for_approval_never_runs_once_its_caller_is_gone(at: Place) -> None:
    with holding(at, FILE) as held:
        assert held.uses["approval of the key"]()
        waiting = at.desk.do("GET", "approvals?state=pending")
        [mine] = {each["id"] for each in waiting if each["requester"] == held.email}

        at.desk.do("POST", f"people/{held.email}/offboard")

        found = at.desk.do("GET", f"approvals/{mine}")
        assert found["state"] == "cancelled"
