"""Nobody who is stopped is given anything."""

from pathlib import Path

from tests.torhaus.admin.hall import ALICE, BOB, DANA, Hall, play
from tests.torhaus.cast import NOW, run
from torhaus.admin.people.acts import LiftStop, MakeStop
from torhaus.admin.people.halted import halted
from torhaus.model.stops import StopKind


def test_whoever_is_stopped_is_so_until_it_is_lifted_or_over(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        act = MakeStop(kind=StopKind.USER, target=ALICE.email, reason="lost", expires=NOW + 60)
        made = await hall.done(DANA, act)
        async with hall.means.office.read() as desk:
            assert "lost" in (await halted(desk, ALICE.email, NOW) or "")
            assert await halted(desk, BOB.email, NOW) is None
            assert await halted(desk, ALICE.email, NOW + 60) is None

        await hall.done(DANA, LiftStop(made.id))
        async with hall.means.office.read() as desk:
            assert await halted(desk, ALICE.email, NOW) is None

    run(play(tmp_path, story))
