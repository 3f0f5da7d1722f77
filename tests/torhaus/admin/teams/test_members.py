from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, DANA, Hall, play
from tests.torhaus.admin.people.staff import ERIN
from tests.torhaus.admin.teams.crew import FRANK, LEADS, crew, put, within
from tests.torhaus.cast import run
from torhaus.admin.people.acts import OffboardPerson
from torhaus.admin.teams.acts import JoinTeam
from torhaus.admin.teams.members import MOST, members_of
from torhaus.model.person import Membership


@pytest.mark.parametrize(
    ("email", "code", "reason"),
    [
        ("nobody@example.org", "not_found", "nobody with the address"),
        (ALICE.email, "conflict", "the file says in which groups"),
        (DANA.email, "not_allowed", "his own access"),
    ],
)
def test_of_several_nobody_comes_in_where_one_cannot(
    email: str, code: str, reason: str, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)

        refusal = await hall.refused(DANA, JoinTeam(LEADS, (FRANK, email)))

        assert (refusal.code, reason in refusal.reason) == (code, True)
        assert hall.parameters()["person"] == email
        assert await within(hall) == [ERIN]

    run(play(tmp_path, story))


def test_people_of_a_provider_may_be_in_it_and_those_who_are_gone_may_not(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        await put(hall, email="grace@example.org", owner="scim:okta")
        await hall.done(DANA, JoinTeam(LEADS, ("grace@example.org",)))

        await hall.done(DANA, OffboardPerson(FRANK))
        refusal = await hall.refused(DANA, JoinTeam(LEADS, (FRANK,)))
        assert refusal.code == "not_found"
        many = tuple(f"p{number}@example.org" for number in range(MOST + 1))
        assert (await hall.refused(DANA, JoinTeam(LEADS, many))).code == "invalid"

    run(play(tmp_path, story))


def test_whom_the_file_has_by_now_it_alone_puts_into_groups(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        hall.rules = msgspec.structs.replace(hall.rules, filed={FRANK: None})

        refusal = await hall.refused(DANA, JoinTeam(LEADS, (FRANK,)))

        assert refusal.fix == "change users in the configuration"

    run(play(tmp_path, story))


def test_somebody_whom_two_have_put_in_is_in_it_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        async with hall.office.write() as desk:
            await desk.teams.join(Membership(LEADS, ERIN, "idp:corp"))
            assert await members_of(desk, LEADS) == (ERIN,)

    run(play(tmp_path, story))
