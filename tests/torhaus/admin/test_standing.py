"""What the database says of somebody, in one transaction."""

from pathlib import Path

from tests.torhaus.admin.hall import BOB, DANA, Hall, play
from tests.torhaus.admin.people.staff import ERIN, hired, keyed, opened
from tests.torhaus.cast import NOW, run
from torhaus.admin.people.acts import MakeStop
from torhaus.admin.standing import standing
from torhaus.model.person import Membership, Team
from torhaus.model.stops import StopKind


def test_it_is_all_about_one_person_and_his_key(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        made = await keyed(hall)
        opened(hall)
        await hall.done(DANA, MakeStop(kind=StopKind.SERVER, target="github", reason="x"))
        async with hall.office.write() as desk:
            await desk.teams.put(Team(name="core", roles=("developer",)))
            await desk.teams.join(Membership("core", ERIN, "database"))
            await desk.teams.join(Membership("core", BOB.email, "database"))

        async with hall.office.read() as desk:
            found = await standing(desk, ERIN.upper(), made.id, NOW)
            owner = await standing(desk, "", made.id, NOW)
            nobody = await standing(desk, "", "adm_none", NOW)

        assert found.person is not None
        assert found.person.email == ERIN
        assert found.kept is not None
        assert found.kept.credential.id == made.id
        assert [each.email for each in found.members] == [ERIN]
        assert [each.target for each in found.stops] == ["github"]
        assert owner == found
        assert (nobody.email, nobody.person, nobody.kept) == ("", None, None)

    run(play(tmp_path, story))
