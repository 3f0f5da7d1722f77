from pathlib import Path

from tests.torhaus.admin.hall import DANA, Hall, play
from tests.torhaus.admin.teams.crew import LEADS, crew
from tests.torhaus.cast import run
from torhaus.admin.acts import Refusal, Scene
from torhaus.admin.teams.owners import of_file, own
from torhaus.audit.acts import Act
from torhaus.model.person import Team

TRIED = Act(operation="team.changed")


def test_only_teams_of_the_database_are_changed_here_and_others_are_told_where(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        scene = Scene(DANA, hall.rules, hall.clock(), "a1")
        async with hall.office.read() as desk:
            found = {
                name: await own(desk, scene, name, TRIED)
                for name in (LEADS, "ops", "NIGHT shift", "none")
            }
        assert isinstance(found[LEADS], Team)
        told = {name: each for name, each in found.items() if isinstance(each, Refusal)}
        assert told["ops"].fix == "change groups.ops in the configuration"
        assert told["NIGHT shift"].reason == "scim:okta says who is in this group"
        assert "auth.scim" in told["NIGHT shift"].fix
        assert told["none"].code == "not_found"

    run(play(tmp_path, story))


def test_the_file_owns_what_it_names(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        assert of_file(hall.rules, "ops", TRIED) is not None
        assert of_file(hall.rules, LEADS, TRIED) is None

    run(play(tmp_path, story))
