from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE, BOB
from torhaus.model.person import Membership, Team

WEB = Team(name="web", owner="database", roles=("developer",), servers=("github",), changed=1.0)


def test_a_team_comes_back_as_kept_and_goes_with_its_members(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.teams.put(WEB)
            assert await desk.teams.join(Membership("web", ALICE, "database"))
            assert not await desk.teams.join(Membership("web", ALICE, "database"))
            assert await desk.teams.every() == [WEB]
            assert await desk.teams.get("web") == WEB
            assert await desk.teams.get("ops") is None
            assert await desk.teams.members() == [Membership("web", ALICE, "database")]

            assert await desk.teams.remove("web")
            assert not await desk.teams.remove("web")
            assert await desk.teams.every() == []
            assert await desk.teams.members() == []

    run(story())


def test_each_owner_sets_the_teams_he_gave(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.teams.join(Membership("web", ALICE, "database"))
            await desk.teams.join(Membership("web", BOB, "idp:okta"))

            assert await desk.teams.set(ALICE, "idp:okta", ["web", "ops"])
            assert not await desk.teams.set(ALICE, "idp:okta", ["ops", "web"])
            assert await desk.teams.set(ALICE, "idp:okta", ["ops"])

            assert await desk.teams.of(ALICE) == [
                Membership("ops", ALICE, "idp:okta"),
                Membership("web", ALICE, "database"),
            ]
            assert await desk.teams.leave(Membership("web", ALICE, "database"))
            assert not await desk.teams.leave(Membership("web", ALICE, "database"))
            assert len(await desk.teams.members()) == 2

    run(story())
