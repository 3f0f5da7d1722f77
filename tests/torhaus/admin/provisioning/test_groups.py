from pathlib import Path

from tests.torhaus.admin.hall import ALICE, DANA, Hall, play, rules
from tests.torhaus.admin.hall import person as principal
from tests.torhaus.admin.provisioning.pushed import (
    ERIN,
    OKTA,
    PUSHER,
    group,
    here,
    push,
    pushing,
    user,
)
from tests.torhaus.cast import run
from torhaus.admin.provisioning.acts import ProvisionGroup, RemoveGroup

FRANK = principal("frank", "admin", id="frank@company.local", email="frank@company.local")


async def roles(hall: Hall, email: str = ERIN) -> tuple[str, ...]:
    person = await here(hall, email)
    return () if person is None else person.roles


def test_roles_follow_groups_by_name_and_by_external_id(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        await push(hall, user())
        devs, night = group("Devs"), group("Night", "u1", id="g2", external="ext-1")
        await push(hall, devs)
        await push(hall, night)
        assert await roles(hall) == ("on_call",)

        joined = group("Devs", "u1", "u9")
        await push(hall, joined, devs)
        assert await roles(hall) == ("developer", "on_call")
        assert hall.effects[-1].persons[0].email == ERIN
        told = hall.parameters()
        assert told["joined"] == [ERIN]
        assert told["before"] == {"roles": {ERIN: ["on_call"]}}

        renamed = group("Leads", "u1")
        await push(hall, renamed, joined)
        assert await roles(hall) == ("tech_lead", "on_call")
        await hall.done(PUSHER, RemoveGroup(source=OKTA, id="g1"))
        assert await roles(hall) == ("on_call",)

    run(play(tmp_path, story))


def test_only_the_source_changes_its_groups(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        for act in (ProvisionGroup(source=OKTA, group=group()), RemoveGroup(source=OKTA, id="g1")):
            assert (await hall.refused(DANA, act)).code == "not_allowed"
        gone = await hall.refused(PUSHER, RemoveGroup(source=OKTA, id="g1"))
        assert gone.code == "not_found"

    run(play(tmp_path, story))


def test_the_last_administrators_stay_in_their_group_however_many_leave_at_once(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        await push(hall, user())
        await push(hall, user("u2", FRANK.email))
        hall.rules = rules(ALICE, principal("erin", "admin", id=ERIN, email=ERIN), FRANK)
        both = group("Admins", "u1", "u2")
        await push(hall, both)

        for act in (
            ProvisionGroup(source=OKTA, group=group("Admins"), before=both),
            ProvisionGroup(source=OKTA, group=group("Devs", "u1", "u2"), before=both),
            RemoveGroup(source=OKTA, id="g1"),
        ):
            refusal = await hall.refused(PUSHER, act)
            assert (refusal.code, "last administrator" in refusal.reason) == ("conflict", True)
        assert await roles(hall) == await roles(hall, FRANK.email) == ("admin",)
        one = group("Admins", "u2")
        await push(hall, one, both)
        assert await roles(hall) == ()
        gone = await hall.refused(PUSHER, RemoveGroup(source=OKTA, id="g1"))
        assert "last administrator" in gone.reason

    run(play(tmp_path, story))
