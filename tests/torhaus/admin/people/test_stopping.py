from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, play
from tests.torhaus.admin.people.staff import hired, keyed, opened, steward, stewards
from tests.torhaus.cast import NOW, run
from torhaus.admin.people.acts import LiftStop, MakeStop
from torhaus.model.stops import StopKind


def stop(kind: StopKind = StopKind.SERVER, target: str = "github", **more: Any) -> MakeStop:
    return MakeStop(**{"kind": kind, "target": target, "reason": "keys have leaked", **more})


def test_a_stop_is_made_and_lifted_with_its_reason(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        opened(hall)
        made = await hall.done(DANA, stop(expires=NOW + 60))

        assert hall.effects[-1].stop == made
        assert hall.parameters()["reason"] == "keys have leaked"
        assert hall.parameters()["after"] == {"stop": made.id, "expires": NOW + 60}
        lifted = await hall.done(DANA, LiftStop(made.id))
        assert lifted.lifted_at == NOW
        assert hall.effects[-1].stop == lifted
        assert (await hall.refused(DANA, LiftStop(made.id))).code == "conflict"
        assert (await hall.refused(DANA, LiftStop("none"))).code == "not_found"

    run(play(tmp_path, story))


def test_who_administers_a_server_may_stop_it_and_its_tools_and_nothing_else(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        stewards(hall)
        opened(hall)
        made = await hall.done(BOB, stop())
        await hall.done(BOB, stop(StopKind.TOOL, "github/delete_repository"))
        for refused in (stop(target="jira"), stop(StopKind.USER, ALICE.email)):
            assert (await hall.refused(BOB, refused)).code == "not_allowed"
        assert (await hall.refused(ALICE, stop())).code == "not_allowed"
        assert (await hall.refused(ALICE, LiftStop(made.id))).code == "not_allowed"
        await hall.done(steward("stops"), stop(StopKind.USER, ALICE.email.upper()))
        assert hall.effects[-1].stop is not None
        assert hall.effects[-1].stop.target == ALICE.email

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    "act",
    [
        stop(reason=" "),
        stop(target="nowhere"),
        stop(expires=NOW),
        stop(StopKind.TOOL, "github"),
        stop(StopKind.TOOL, "nowhere/x"),
        stop(StopKind.USER, "nobody@example.org"),
        stop(StopKind.KEY, "adm_none"),
    ],
)
def test_what_cannot_be_stopped_is_refused(act: MakeStop, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        opened(hall)
        assert (await hall.refused(DANA, act)).code == "invalid"

    run(play(tmp_path, story))


def test_keys_of_the_database_and_of_the_file_are_stopped_by_their_ids(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await hired(hall)
        key = await keyed(hall)

        await hall.done(DANA, stop(StopKind.KEY, key.id))
        await hall.done(DANA, stop(StopKind.KEY, "file_0123456789ab"))

    run(play(tmp_path, story))


def test_nobody_stops_himself_or_the_last_administrator(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        stewards(hall)
        assert "himself" in (await hall.refused(DANA, stop(StopKind.USER, DANA.email))).reason
        refusal = await hall.refused(steward("stops"), stop(StopKind.USER, DANA.email))
        assert refusal.code == "conflict"

    run(play(tmp_path, story))
