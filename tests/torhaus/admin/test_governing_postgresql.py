"""Several gateways take administrators away at once, where transactions run beside each other."""

import asyncio
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.admin.hall import Hall, hall, person, rules
from tests.torhaus.admin.people.staff import steward
from tests.torhaus.cast import NOW, run
from tests.torhaus.store.state.databases import CannotRunError, Place, postgres
from torhaus.admin.acts import Done, Refusal
from torhaus.admin.governing import Ground, Left
from torhaus.admin.people.acts import ChangePerson, MakeStop, OffboardPerson, SuspendPerson
from torhaus.admin.teams.acts import ChangeTeam, LeaveTeam, RemoveTeam
from torhaus.model.person import Membership, Person, PersonState, Team
from torhaus.model.stops import StopKind

OWNERS = tuple(f"owner{number}@example.org" for number in range(4))
HR, GUARD = steward("people"), steward("stops")
ROUNDS = 6


@pytest.fixture(scope="module", params=["one database file", "postgresql"])
def server(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param != "postgresql":
        yield None
        return
    try:
        with postgres() as url:
            yield url
    except CannotRunError as error:
        pytest.skip(str(error))


def takes(email: str, number: int) -> tuple[Any, Any]:
    """Who does what to take somebody away."""
    found = (
        (HR, SuspendPerson(email)),
        (HR, ChangePerson(email=email, roles=())),
        (HR, OffboardPerson(email)),
        (HR, ChangePerson(email=email, expires=NOW + 60)),
        (GUARD, MakeStop(kind=StopKind.USER, target=email, reason="r")),
    )
    return found[number % len(found)]


async def hired(at: Hall) -> None:
    """All of them are here again, without an end, in the database and in the rules."""
    async with at.office.write() as desk:
        for email in OWNERS:
            await desk.persons.put(Person(email=email, roles=("admin",), state=PersonState.ACTIVE))
        for stop in await desk.stops.in_force(NOW):
            await desk.stops.lift(stop.id, "x", NOW)


async def left(at: Hall) -> Left:
    async with at.office.read() as desk:
        return await Ground(desk=desk, rules=at.rules, now=NOW, local=True).left()


def test_of_administrators_who_take_each_other_away_at_once_one_stays(
    server: str | None, tmp_path: Path
) -> None:
    async def story() -> None:
        place = Place(tmp_path, server)
        await place.database()
        async with hall(tmp_path, place.url) as one, hall(tmp_path, place.url) as other:
            # Each gateway goes by rules that know nothing yet of what the other does.
            known = [person(email.partition("@")[0], "admin") for email in OWNERS]
            one.rules = other.rules = rules(HR, GUARD, *known)
            for turn in range(ROUNDS):
                gateways = ((one, other), (one, one))[turn % 2]
                await hired(one)
                acts = [takes(email, turn + at) for at, email in enumerate(OWNERS)]
                found = await asyncio.gather(
                    *(
                        gateways[at % 2].admin.perform(who, act, "")
                        for at, (who, act) in enumerate(acts)
                    )
                )
                done = [each for each in found if isinstance(each, Done)]
                refused = [each for each in found if isinstance(each, Refusal)]
                assert (len(done), len(refused)) == (3, 1), (turn, found)
                assert "last administrator" in refused[0].reason
                assert (await left(one)).able > NOW + 60

    run(story())


def test_nobody_is_taken_away_by_one_who_is_away_himself(
    server: str | None, tmp_path: Path
) -> None:
    """Two administrators in a ring: each takes the next one away, by rules that are old."""

    async def story() -> None:
        place = Place(tmp_path, server)
        await place.database()
        async with hall(tmp_path, place.url) as one, hall(tmp_path, place.url) as other:
            known = [person(email.partition("@")[0], "admin") for email in OWNERS]
            one.rules = other.rules = rules(*known)
            for _ in range(ROUNDS):
                await hired(one)
                ring = list(pairwise((*known, known[0])))
                await asyncio.gather(
                    *(
                        (one, other)[at % 2].admin.perform(who, OffboardPerson(next_.email), "")
                        for at, (who, next_) in enumerate(ring)
                    )
                )
                assert (await left(one)).able > NOW

    run(story())


async def teamed(at: Hall) -> None:
    """Three of them administer by a team each."""
    async with at.office.write() as desk:
        for number, email in enumerate(OWNERS[:3]):
            await desk.persons.put(Person(email=email))
            await desk.teams.put(Team(name=f"t{number}", roles=("admin",)))
            await desk.teams.join(Membership(f"t{number}", email, "database"))


def test_of_teams_of_administrators_that_go_at_once_one_stays(
    server: str | None, tmp_path: Path
) -> None:
    async def story() -> None:
        place = Place(tmp_path, server)
        await place.database()
        async with hall(tmp_path, place.url) as one, hall(tmp_path, place.url) as other:
            known = [person(email.partition("@")[0], "admin") for email in OWNERS[:3]]
            one.rules = other.rules = rules(HR, *known)
            for turn in range(ROUNDS):
                await teamed(one)
                acts = (
                    RemoveTeam("t0"),
                    LeaveTeam("t1", (OWNERS[1],)),
                    ChangeTeam(name="t2", roles=()),
                )
                found = await asyncio.gather(
                    *(
                        (one, other)[(turn + at) % 2].admin.perform(HR, act, "")
                        for at, act in enumerate(acts)
                    )
                )
                assert sum(isinstance(each, Refusal) for each in found) == 1, found
                assert (await left(one)).able > NOW

    run(story())
