from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, JANE, Hall
from tests.torhaus.admin.vaulted import NEW, NEWER, OLD, PUT, ROTATE, play_with, rows
from torhaus.admin.vaulting import (
    PutCredential,
    RemoveCredential,
    RollBackCredential,
    RotateCredential,
)
from torhaus.model.secret import Secret
from torhaus.model.vault import Content, Kept, Standing, VaultKind


async def opened(hall: Hall) -> dict[str, str]:
    return {each.state.value: hall.safe.opened(each).value for each in await rows(hall)}


def test_a_credential_is_kept_sealed_and_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        done = await hall.done(BOB, PUT)

        assert (done.current.version, done.current.created_by) == (1, BOB.email)
        assert await opened(hall) == {"current": OLD}
        assert hall.ends()[-1] == ("credential.stored", BOB.email, "success")
        assert hall.parameters()["after"]["kind"] == "bearer"
        assert OLD not in repr(hall.ledger.durable)
        assert OLD.encode() not in (await rows(hall))[0].sealed

    play_with(tmp_path, story)


def test_a_rotation_lets_the_former_one_stand_beside_it(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hall.done(BOB, PUT)
        done = await hall.done(BOB, ROTATE)

        assert done.current.version == 2
        assert await opened(hall) == {"current": NEW, "previous": OLD}
        assert hall.parameters()["before"]["version"] == 1

        await hall.done(BOB, RotateCredential(server="github", secret=Secret(NEWER)))
        assert await opened(hall) == {"current": NEWER, "previous": NEW}

    play_with(tmp_path, story)


def test_a_rotation_is_rolled_back_and_forth(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hall.done(BOB, PUT)
        nothing = await hall.refused(BOB, RollBackCredential("github"))
        await hall.done(BOB, ROTATE)

        assert (nothing.code, "never rotated" in nothing.reason) == ("conflict", True)
        assert (await hall.done(BOB, RollBackCredential("github"))).current.version == 1
        assert await opened(hall) == {"current": OLD, "previous": NEW}
        await hall.done(BOB, RollBackCredential("github"))
        assert await opened(hall) == {"current": NEW, "previous": OLD}

    play_with(tmp_path, story)


def test_basic_keeps_its_user_over_a_rotation(tmp_path: Path) -> None:
    basic = PutCredential(
        server="github", kind=VaultKind.BASIC, secret=Secret(OLD), username="robot"
    )

    async def story(hall: Hall) -> None:
        await hall.done(BOB, basic)
        done = await hall.done(BOB, ROTATE)

        assert hall.safe.opened(done.current) == Content(value=NEW, username="robot")

    play_with(tmp_path, story)


def test_removal_takes_both_versions(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hall.done(BOB, PUT)
        await hall.done(BOB, ROTATE)
        assert (await hall.done(DANA, RemoveCredential("github"))).current is None
        assert await rows(hall) == []
        assert (await hall.refused(DANA, RemoveCredential("github"))).code == "not_found"

    play_with(tmp_path, story)


def connection(hall: Hall, email: str) -> Kept:
    kept = Kept(
        id=f"vlt_{email}",
        server="github",
        email=email,
        kind=VaultKind.OAUTH_USER,
        key_id="",
        sealed=b"",
        created=1.0,
        created_by=email,
        rotated=1.0,
    )
    return hall.safe.sealed(kept, Content(value="hers"), hall.ring.first)


def test_everybody_may_remove_his_own_connection_and_no_other(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        async with hall.office.write() as desk:
            for each in (ALICE, JANE):
                await desk.vault.add(connection(hall, each.email))

        no = await hall.refused(ALICE, RemoveCredential("github", JANE.email))
        await hall.done(ALICE, RemoveCredential("github", ALICE.email))

        assert no.code == "not_allowed"
        assert [each.email for each in await rows(hall)] == [JANE.email]
        assert hall.ends()[-1][0] == "credential.removed"

    play_with(tmp_path, story)


@pytest.mark.parametrize("act", [PUT, ROTATE, RollBackCredential("github")])
def test_who_may_not_changes_nothing_and_is_recorded(tmp_path: Path, act: object) -> None:
    async def story(hall: Hall) -> None:
        for who in (ALICE, JANE):
            refused = await hall.refused(who, act)
            assert refused.code == "not_allowed"
            assert "torhaus:credentials:admin" in refused.reason
            assert hall.ends()[-1][2] == "denied"
        assert await rows(hall) == []

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        ({"server": "jira"}, "conflict", "does not use a stored credential"),
        ({"server": "nowhere"}, "not_found", "no server"),
        ({"kind": VaultKind.OAUTH_USER}, "invalid", "authorization server"),
        ({"secret": Secret("")}, "invalid", "empty"),
        ({"secret": Secret("a\nb")}, "invalid", "no header can carry"),
        ({"secret": Secret("Bearer abc")}, "invalid", "no spaces"),
        ({"kind": VaultKind.BASIC}, "invalid", "user name"),
        ({"kind": VaultKind.HEADER}, "invalid", "name of the header"),
    ],
)
def test_what_cannot_be_is_refused(
    tmp_path: Path, changes: dict[str, object], code: str, words: str
) -> None:
    async def story(hall: Hall) -> None:
        refused = await hall.refused(DANA, msgspec.structs.replace(PUT, **changes))

        assert (refused.code, words in refused.reason) == (code, True), refused

    play_with(tmp_path, story)


def test_a_second_one_is_a_rotation(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        assert (await hall.refused(BOB, ROTATE)).code == "not_found"
        await hall.done(BOB, PUT)
        refused = await hall.refused(BOB, PUT)
        assert (refused.code, "torhaus secrets rotate" in refused.fix) == ("conflict", True)

    play_with(tmp_path, story)


def test_rows_that_changed_places_do_not_open(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        async with hall.office.write() as desk:
            for each in (ALICE, JANE):
                await desk.vault.add(connection(hall, each.email))
        hers, other = await rows(hall)

        swapped = msgspec.structs.replace(hers, sealed=other.sealed)
        with pytest.raises(ValueError, match="another row"):
            hall.safe.opened(swapped)
        assert hers.state is Standing.CURRENT

    play_with(tmp_path, story)
