from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, person, play, rules
from tests.torhaus.admin.people.staff import ERIN, steward
from tests.torhaus.admin.teams.crew import FRANK, LEADS, crew, member, within
from tests.torhaus.cast import NOW, run
from torhaus.admin.teams.acts import ChangeTeam, JoinTeam, LeaveTeam, MakeTeam, RemoveTeam
from torhaus.model.person import Moved, Team

HR = steward("people")


def test_a_team_is_made_with_its_members_and_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        made = await crew(hall, servers=("github",))

        assert made.team == Team(name=LEADS, roles=("tech_lead",), servers=("github",), changed=NOW)
        assert made.members == (ERIN,)
        effect = hall.effects[-1]
        assert effect.people
        assert effect.moved == Moved(teams=(made.team,), joined=(member(),))
        told = hall.parameters()
        assert (told["team"], told["before"]) == (LEADS, None)
        assert told["after"] == {
            "roles": ["tech_lead"],
            "servers": ["github"],
            "members": [ERIN],
        }
        async with hall.office.read() as desk:
            assert await desk.teams.get(LEADS) == made.team
        assert await within(hall) == [ERIN]

    run(play(tmp_path, story))


def test_what_a_team_gives_is_changed_and_said(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        changed = await hall.done(DANA, ChangeTeam(name=LEADS, servers=("jira",)))
        assert (changed.team.roles, changed.team.servers) == (("tech_lead",), ("jira",))
        assert changed.members == (ERIN,)
        told = hall.parameters()
        assert (told["before"], told["after"]) == ({"servers": []}, {"servers": ["jira"]})
        changed = await hall.done(DANA, ChangeTeam(name=LEADS, roles=("on_call",), servers=()))
        assert (changed.team.roles, changed.team.servers) == (("on_call",), ())

    run(play(tmp_path, story))


def test_a_team_goes_with_what_it_gave(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)

        gone = await hall.done(DANA, RemoveTeam(LEADS))

        assert gone.members == (ERIN,)
        assert hall.effects[-1].moved == Moved(removed=(LEADS,), left=(member(),))
        assert hall.parameters()["before"]["members"] == [ERIN]
        assert hall.parameters()["after"] is None
        assert await within(hall) == []
        assert (await hall.refused(DANA, RemoveTeam(LEADS))).code == "not_found"

    run(play(tmp_path, story))


REFUSED: dict[str, tuple[Any, str, str]] = {
    "no name": (MakeTeam(name=" "), "invalid", "letters"),
    "a name with a slash": (MakeTeam(name="a/b"), "invalid", "letters"),
    "an address": (MakeTeam(name="a@b.org"), "invalid", "letters"),
    "an unknown role": (MakeTeam(name="x", roles=("wizard",)), "invalid", "no role"),
    "an unknown server": (MakeTeam(name="x", servers=("gitlab",)), "invalid", "no server"),
    "a role of this name": (MakeTeam(name="tech_lead"), "conflict", "role of this name"),
    "a team that is there": (MakeTeam(name=LEADS), "conflict", "already"),
    "a group of the file": (MakeTeam(name="ops"), "conflict", "the file says"),
    "a group of a provider": (MakeTeam(name="night shift"), "conflict", "scim:okta says"),
    "changing none": (ChangeTeam(name="none"), "not_found", "no such team"),
    "changing the file's": (ChangeTeam(name="ops", roles=()), "conflict", "the file says"),
    "changing a provider's": (ChangeTeam(name="Night Shift"), "conflict", "scim:okta says"),
    "another server": (ChangeTeam(name=LEADS, servers=("x",)), "invalid", "no server"),
    "another role": (ChangeTeam(name=LEADS, roles=("x",)), "invalid", "no role"),
    "removing the file's": (RemoveTeam("ops"), "conflict", "the file says"),
    "removing a provider's": (RemoveTeam("Night Shift"), "conflict", "scim:okta says"),
    "joining the file's": (JoinTeam("ops", (FRANK,)), "conflict", "the file says"),
    "joining a provider's": (JoinTeam("Night Shift", (FRANK,)), "conflict", "scim:okta says"),
    "leaving the file's": (LeaveTeam("ops", (ALICE.email,)), "conflict", "the file says"),
}


@pytest.mark.parametrize(("act", "code", "reason"), REFUSED.values(), ids=REFUSED)
def test_what_cannot_be_is_refused_with_whose_it_is(
    act: Any, code: str, reason: str, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)

        refusal = await hall.refused(DANA, act)

        assert refusal.code == code
        assert reason in refusal.reason
        if "the file says" in reason:
            assert refusal.fix == "change groups.ops in the configuration"

    run(play(tmp_path, story))


EVERY = (
    MakeTeam(name="new"),
    ChangeTeam(name=LEADS, roles=()),
    RemoveTeam(LEADS),
    JoinTeam(LEADS, (FRANK,)),
    LeaveTeam(LEADS, (ERIN,)),
)


@pytest.mark.parametrize("act", EVERY, ids=lambda act: type(act).__name__)
def test_only_holders_of_the_right_change_teams(act: Any, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        for who in (BOB, steward("keys"), steward("stops")):
            assert (await hall.refused(who, act)).code == "not_allowed"
        await hall.done(DANA, act)

    run(play(tmp_path, story))


def test_nobody_gives_through_a_team_what_he_does_not_hold(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        await hall.done(HR, MakeTeam(name="plain", members=(FRANK,)))
        for act in (
            MakeTeam(name="new", roles=("tech_lead",)),
            ChangeTeam(name="plain", roles=("tech_lead",)),
            JoinTeam(LEADS, (FRANK,)),
        ):
            refusal = await hall.refused(HR, act)
            assert (refusal.code, "do not hold" in refusal.reason) == ("not_allowed", True), act
        await hall.done(HR, ChangeTeam(name=LEADS, servers=("jira",)))
        for wider in ((), ("github",)):
            refusal = await hall.refused(HR, ChangeTeam(name=LEADS, servers=wider))
            assert refusal.code == "not_allowed"
        await hall.done(HR, LeaveTeam(LEADS, (ERIN,)))
        await hall.done(HR, ChangeTeam(name=LEADS, roles=()))

    run(play(tmp_path, story))


def test_nobody_changes_a_team_that_he_is_in(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await crew(hall)
        erin = person("erin", "admin")
        hall.rules = msgspec.structs.replace(
            hall.rules, principals={**hall.rules.principals, ERIN: erin}
        )
        for act in (
            ChangeTeam(name=LEADS, roles=("admin",)),
            RemoveTeam(LEADS),
            JoinTeam(LEADS, (FRANK,)),
            LeaveTeam(LEADS, (ERIN,)),
            MakeTeam(name="mine", members=(ERIN,)),
        ):
            refusal = await hall.refused(erin, act)
            assert (refusal.code, "his own access" in refusal.reason) == ("not_allowed", True)

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    "taking",
    [
        RemoveTeam(LEADS),
        ChangeTeam(name=LEADS, roles=()),
        ChangeTeam(name=LEADS, roles=("developer",)),
        ChangeTeam(name=LEADS, servers=("github",)),
        LeaveTeam(LEADS, (ERIN, FRANK)),
    ],
    ids=lambda act: type(act).__name__,
)
def test_the_team_of_the_last_administrators_stays_as_it_is(taking: Any, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        made = await crew(hall, roles=("admin",), members=(ERIN, FRANK))
        known = [each for each in hall.rules.principals.values() if each.id != DANA.id]
        hall.rules = rules(*known, servers=hall.rules.servers)

        refusal = await hall.refused(HR, taking)

        assert (refusal.code, "last administrator" in refusal.reason) == ("conflict", True)
        assert await within(hall) == [ERIN, FRANK]
        async with hall.office.read() as desk:
            assert await desk.teams.get(LEADS) == made.team
        await hall.done(HR, LeaveTeam(LEADS, (ERIN,)))

    run(play(tmp_path, story))
