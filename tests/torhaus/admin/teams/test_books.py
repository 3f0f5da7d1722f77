from pathlib import Path

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, person, play
from tests.torhaus.admin.people.staff import ERIN
from tests.torhaus.admin.teams.crew import FRANK, LEADS, crew, pushed
from tests.torhaus.cast import run
from torhaus.admin.people.acts import OffboardPerson
from torhaus.admin.teams.acts import JoinTeam
from torhaus.admin.teams.books import TeamBooks
from torhaus.model.person import Membership, Team
from torhaus.model.provisioning import USER, Provisioned


def books(hall: Hall) -> TeamBooks:
    return TeamBooks(hall.office, lambda: hall.rules, hall.clock)


async def told(hall: Hall) -> None:
    """Okta knows Grace, and that she is of the night shift."""
    user = Provisioned(
        id="u1", kind=USER, source="okta", name="grace", email="grace@x.org", document="{}"
    )
    async with hall.office.write() as desk:
        await desk.provisioned.add(user)
        await desk.provisioned.change(pushed("u1", "u2"), pushed().document)


def test_teams_of_file_database_and_providers_are_one_list(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall, servers=("github",))
        await told(hall)

        found = await books(hall).teams(DANA)

        assert [(each.team.name, each.team.owner) for each in found] == [
            (LEADS, "database"),
            ("Night Shift", "scim:okta"),
            ("ops", "file"),
        ]
        leads, night, ops = found
        assert (leads.members, leads.team.servers) == ((ERIN,), ("github",))
        assert (night.members, night.team.roles, night.groups) == (
            ("grace@x.org",),
            ("on_call",),
            ("ops",),
        )
        assert (ops.members, ops.team.roles) == ((ALICE.email,), ("developer",))

    run(play(tmp_path, story))


def test_without_the_right_there_are_ones_own_and_nobody_else_in_them(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        await hall.done(DANA, JoinTeam(LEADS, (FRANK,)))
        frank = person("frank", "developer")

        [own] = await books(hall).teams(frank)

        assert (own.team.name, own.members) == (LEADS, (FRANK,))
        assert await books(hall).teams(BOB) == []
        assert await books(hall).team(BOB, LEADS) is None
        assert await books(hall).team(DANA, "none") is None

    run(play(tmp_path, story))


def test_who_is_gone_is_in_no_team_and_the_file_goes_before_a_team_of_its_name(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        await hall.done(DANA, OffboardPerson(ERIN))
        async with hall.office.write() as desk:
            await desk.teams.join(Membership(LEADS, ERIN, "idp:corp"))
            await desk.teams.put(Team(name="ops", roles=("admin",)))
            await desk.teams.put(Team(name="Night Shift", roles=("admin",)))

        leads, ops = await books(hall).team(DANA, LEADS), await books(hall).team(DANA, "ops")

        assert leads is not None
        assert ops is not None
        assert leads.members == ()
        assert (ops.team.owner, ops.team.roles) == ("file", ("developer",))
        night = await books(hall).team(DANA, "Night Shift")
        assert night is not None
        assert night.team.owner == "database"

    run(play(tmp_path, story))
