from pathlib import Path

from tests.torhaus.admin.hall import Hall
from tests.torhaus.admin.signin.directories import EMAIL, ISSUER, living, roles, signed_in
from tests.torhaus.admin.signin.office import play
from torhaus.admin.signin.rechecking import Recheck
from torhaus.model.people import Principal

ACTOR = Principal(id="idp:corp", email="idp:corp")


def told(groups: tuple[str, ...] | None, subject: str = "s1") -> Recheck:
    return Recheck(provider="corp", issuer=ISSUER, subject=subject, groups=groups)


def test_other_groups_are_other_roles_and_the_session_goes_on(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await signed_in(at)

        await at.done(ACTOR, told(("leads",)))

        assert await roles(at) == ("tech_lead",)
        assert await living(at) == ["client", "session"]
        assert [each.roles for each in at.effects[-1].persons] == [("tech_lead",)]
        assert at.ends()[-1] == ("signin.rechecked", "idp:corp", "success")
        assert at.parameters()["person"] == EMAIL

    play(tmp_path, story)


def test_whoever_is_gone_is_signed_out_everywhere(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await signed_in(at)

        await at.done(ACTOR, told(None))

        assert await roles(at) == ()
        assert await living(at) == []
        assert len(at.effects[-1].ended) == 2
        assert at.effects[-1].people

    play(tmp_path, story)


def test_whoever_has_no_group_left_that_gives_anything_is_signed_out(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await signed_in(at)

        await at.done(ACTOR, told(("guests",)))

        assert await living(at) == []

    play(tmp_path, story)


def test_whom_the_file_knows_keeps_his_roles_and_his_session_without_a_group(
    tmp_path: Path,
) -> None:
    async def story(at: Hall) -> None:
        await signed_in(at, owner="file")

        await at.done(ACTOR, told(()))

        assert await roles(at) == ("developer",)
        assert await living(at) == ["client", "session"]
        await at.done(ACTOR, told(None))
        assert await living(at) == []

    play(tmp_path, story)


def test_an_account_that_nobody_has_changes_nothing(tmp_path: Path) -> None:
    async def story(at: Hall) -> None:
        await signed_in(at)

        await at.refused(ACTOR, told(None, subject="s2"))

        assert await living(at) == ["client", "session"]

    play(tmp_path, story)
