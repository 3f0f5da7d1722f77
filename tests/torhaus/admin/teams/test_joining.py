from pathlib import Path

from tests.torhaus.admin.hall import DANA, Hall, play
from tests.torhaus.admin.people.staff import ERIN
from tests.torhaus.admin.teams.crew import FRANK, LEADS, crew, member, within
from tests.torhaus.cast import run
from torhaus.admin.teams.acts import JoinTeam, LeaveTeam
from torhaus.model.person import Moved


def test_people_come_in_and_who_is_in_already_stays(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)

        now = await hall.done(DANA, JoinTeam(LEADS, (" Frank@example.org ", ERIN)))

        assert now.members == (ERIN, FRANK)
        assert hall.effects[-1].moved == Moved(joined=(member(FRANK),))
        told = hall.parameters()
        assert (told["joined"], told["joined_count"]) == ([FRANK], 1)
        assert (told["before"], told["after"]) == ({"members": 1}, {"members": 2})
        assert await within(hall) == [ERIN, FRANK]

    run(play(tmp_path, story))


def test_people_go_and_nobody_goes_where_one_is_not_in(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        refusal = await hall.refused(DANA, LeaveTeam(LEADS, (ERIN, FRANK)))
        assert (refusal.code, FRANK in refusal.reason) == ("not_found", True)
        assert await within(hall) == [ERIN]

        now = await hall.done(DANA, LeaveTeam(LEADS, (ERIN,)))

        assert now.members == ()
        assert hall.effects[-1].moved == Moved(left=(member(),))
        assert hall.parameters()["left"] == [ERIN]

    run(play(tmp_path, story))
