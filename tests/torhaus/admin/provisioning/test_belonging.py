from pathlib import Path

from tests.torhaus.admin.hall import Hall, play
from tests.torhaus.admin.provisioning.pushed import OKTA, PUSHER, group, push, pushing, user
from tests.torhaus.cast import run
from torhaus.admin.provisioning.acts import RemoveUser
from torhaus.admin.provisioning.belonging import document, gains, giving, members, names
from torhaus.model.providers import Gains


def test_groups_give_to_those_who_are_in_them() -> None:
    groups = [group("Devs", "u1"), group("Other", "u1", id="g2", external="ext-1")]

    assert gains(OKTA, groups, "u1") == Gains(roles=("developer", "on_call"), groups=("builders",))
    assert gains(OKTA, groups, "u2") == Gains()
    assert names(groups[1]) == ("Other", "ext-1")
    assert members(groups[0]) == {"u1"}
    assert members(None) == frozenset()


def test_who_is_removed_is_in_no_group_any_more(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        pushing(hall)
        await push(hall, user())
        await push(hall, group("Devs", "u1", "u2"))
        await push(hall, group("Nothing", "u2", id="g2"))

        await hall.done(PUSHER, RemoveUser(source=OKTA, id="u1"))

        async with hall.office.read() as desk:
            found = await giving(desk, OKTA)
        assert [document(each)["members"] for each in found] == [[{"value": "u2"}]]

    run(play(tmp_path, story))
