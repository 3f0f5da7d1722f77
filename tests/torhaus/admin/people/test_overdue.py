"""Stops that have had their time."""

import asyncio
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import BOB, DANA, Hall, play
from tests.torhaus.admin.people.staff import opened
from tests.torhaus.cast import NOW, run
from torhaus.admin.acts import Effect
from torhaus.admin.people.acts import LiftStop, MakeStop
from torhaus.admin.people.overdue import NEWS, Overdue
from torhaus.model.announcement import Kind
from torhaus.model.ports import LedgerError
from torhaus.model.stops import Stop, StopKind


class Watch:
    """One gateway: what it knows, and what it was told has happened."""

    def __init__(self, hall: Hall) -> None:
        self.known: list[Stop] = []
        self.happened: list[Effect] = []
        self.overdue = Overdue(hall.means, lambda: self.known, self.happened.append)


async def stopped(hall: Hall, seconds: float = 60.0) -> Stop:
    opened(hall)
    act = MakeStop(
        kind=StopKind.SERVER, target="github", reason="leak", expires=hall.clock() + seconds
    )
    made: Stop = await hall.done(DANA, act)
    return made


def ends(hall: Hall) -> list[tuple[str, str]]:
    found = [each for each in hall.ledger.durable if each.operation == "stop.ended"]
    return [(each.user.email, each.result.status) for each in found]


def test_a_stop_that_has_had_its_time_is_recorded_logged_and_told_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        made = await stopped(hall)
        one, two = Watch(hall), Watch(hall)
        one.known = two.known = [made]
        hall.told.clear()
        await one.overdue.walk(hall.clock())
        assert ends(hall) == []

        hall.clock.turn(60)
        with capture_logs() as logs:
            await asyncio.gather(*(each.overdue.walk(hall.clock()) for each in (one, two)))

        assert ends(hall) == [("torhaus", "success")]
        assert hall.parameters()["reason"] == "leak"
        assert hall.parameters()["by"] == DANA.email
        assert [each["event"] for each in logs] == ["stop.ended"]
        (news,) = hall.told
        assert (news.kind, news.facts["target"]) == (Kind.STOP_ENDED, "github")
        assert news.to[0] == DANA.email
        assert BOB.email in news.to
        (effect,) = one.happened + two.happened
        assert effect.stop is not None
        assert (effect.stop.id, effect.stop.lifted_at) == (made.id, NOW + 60)
        assert effect.stop.lifted_by is None
        assert (await hall.refused(DANA, LiftStop(made.id))).code == "conflict"

    run(play(tmp_path, story))


def test_what_was_lifted_has_not_ended_by_itself(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        made = await stopped(hall)
        await hall.done(DANA, LiftStop(made.id))
        hall.clock.turn(60)

        await Watch(hall).overdue.walk(hall.clock())

        assert ends(hall) == []

    run(play(tmp_path, story))


@pytest.mark.parametrize(("late", "told"), [(NEWS - 1, 1), (NEWS, 0)])
def test_one_that_ended_while_no_gateway_ran_is_recorded_and_soon_no_news(
    late: float, told: int, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        await stopped(hall)
        hall.told.clear()
        hall.clock.turn(60 + late)
        after = Watch(hall)

        await after.overdue.walk(hall.clock())
        await after.overdue.walk(hall.clock())

        assert len(ends(hall)) == 1
        assert len(hall.told) == told

    run(play(tmp_path, story))


def test_without_a_record_it_is_not_kept_and_ends_in_the_next_round(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await stopped(hall)
        hall.clock.turn(60)
        watch = Watch(hall)
        hall.ledger.refuses = True
        with pytest.raises(LedgerError):
            await watch.overdue.walk(hall.clock())
        assert watch.happened == []

        hall.ledger.refuses = False
        await watch.overdue.walk(hall.clock())

        assert len(ends(hall)) == 1

    run(play(tmp_path, story))


def test_where_nothing_is_over_the_database_is_not_asked(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        watch = Watch(hall)
        await watch.overdue.walk(hall.clock())

        class Closed:
            def read(self) -> None:
                raise AssertionError("it was asked")

        object.__setattr__(hall.means, "office", Closed())
        await watch.overdue.walk(hall.clock())

    run(play(tmp_path, story))
