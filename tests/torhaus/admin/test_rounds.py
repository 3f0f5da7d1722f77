import asyncio
from contextlib import suppress
from pathlib import Path

import msgspec
from structlog.testing import capture_logs

from tests.torhaus.admin.hall import ALICE, BOB, DANA, DAY, Hall, play, rules, until
from tests.torhaus.cast import NOW, run
from torhaus.admin.acts import DecideAccess, RequestAccess, RevokeGrant
from torhaus.admin.rounds import NOTICES, SWEEP, Grants, Rounds
from torhaus.model.approval import State
from torhaus.model.grant import Asked, Grant


class Watch:
    """What rounds bring about."""

    def __init__(self, hall: Hall) -> None:
        self.seen: list[Grants] = []
        self.rounds = Rounds(hall.means, hall.requests, self.changed)

    async def changed(self, grants: Grants) -> None:
        self.seen.append(grants)


async def grant(hall: Hall) -> str:
    asked = await hall.done(ALICE, RequestAccess("tech_lead", 3600.0))
    done = await hall.done(DANA, DecideAccess(asked.id, True))
    return str(done.grant)


def test_changed_grants_are_put_in_force_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        watch = Watch(hall)
        await watch.rounds.walk(1)
        assert watch.seen == []

        made = await grant(hall)
        await watch.rounds.walk(1)
        await watch.rounds.walk(2)
        await hall.done(DANA, RevokeGrant(made))
        await watch.rounds.walk(3)

        assert [[each.id for each in seen] for seen in watch.seen] == [[made], []]

    run(play(tmp_path, story))


def test_a_grant_that_ends_by_itself_is_no_change(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        watch = Watch(hall)
        await grant(hall)
        await watch.rounds.walk(1)

        hall.clock.turn(3600)
        await watch.rounds.walk(1)

        assert len(watch.seen) == 1
        assert watch.rounds.grants == ()

    run(play(tmp_path, story))


def test_what_was_overtaken_is_put_in_force_again(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        watch = Watch(hall)
        await grant(hall)
        await watch.rounds.walk(1)

        watch.rounds.forget()
        await watch.rounds.walk(1)
        await watch.rounds.walk(1)

        assert len(watch.seen) == 2
        assert watch.seen[0] == watch.seen[1]

    run(play(tmp_path, story))


def test_overdue_requests_end_and_are_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        approval = await hall.asked()
        access = await hall.done(ALICE, RequestAccess("tech_lead", 3600.0))
        hall.clock.turn(7 * DAY)

        await Watch(hall).rounds.walk(SWEEP)
        await Watch(hall).rounds.walk(SWEEP)

        assert await hall.state(approval.id) is State.EXPIRED
        async with hall.office.read() as desk:
            found = await desk.access.request(access.id)
        assert found is not None
        assert found.state is Asked.EXPIRED
        assert hall.ends()[-2:] == [
            ("approval.expired", "torhaus", "success"),
            ("access.expired", "torhaus", "success"),
        ]

    run(play(tmp_path, story))


def test_people_are_told_once_over_all_processes(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        ending = Grant(
            id="file:3", user=BOB.email, role="admin", begins=0, ends=NOW + 60, notify=100.0
        )
        hall.rules = rules(ALICE, BOB, grants=(ending,))

        one, other = Watch(hall).rounds, Watch(hall).rounds
        told = [await one.tell(NOW), await other.tell(NOW), await one.tell(NOW + 30)]

        assert told == [1, 0, 0]
        assert [each.to for each in hall.told] == [(BOB.email,)]

    run(play(tmp_path, story))


def test_rounds_go_on_after_the_database_failed(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        watch = Watch(hall)
        walking = asyncio.create_task(watch.rounds.run())
        file, away = tmp_path / "state.db", tmp_path / "away"
        made = await grant(hall)
        watch.rounds.ask()
        await until(lambda: len(watch.seen) == 1)

        file.rename(away)
        watch.rounds.ask()
        await asyncio.sleep(0.05)
        away.rename(file)
        await hall.done(DANA, RevokeGrant(made))
        watch.rounds.ask()
        await until(lambda: len(watch.seen) == 2)

        walking.cancel()
        with suppress(asyncio.CancelledError):
            await walking

    run(play(tmp_path, story))


def test_a_mistake_of_ours_does_not_end_the_rounds(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        failed: list[Grants] = []

        async def broken(grants: Grants) -> None:
            failed.append(grants)
            raise ZeroDivisionError

        rounds = Rounds(hall.means, hall.requests, broken)
        walking = asyncio.create_task(rounds.run())
        await grant(hall)
        rounds.ask()
        await until(lambda: len(failed) == 1)
        rounds.ask()
        await until(lambda: len(failed) == 2)

        walking.cancel()
        with suppress(asyncio.CancelledError):
            await walking

    run(play(tmp_path, story))


def test_a_decision_that_is_heard_of_wakes_who_waits_for_it_at_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        watch, asked = Watch(hall), await hall.asked()
        waiting = asyncio.create_task(hall.requests.wait(asked.id, 60.0))
        await until(lambda: asked.id in hall.requests.waiting.ids())
        async with hall.office.write() as desk:
            await desk.approvals.decide(asked.id, State.APPROVED, "bob@example.org", "", NOW)

        await watch.rounds.walk(1)
        assert not waiting.done()
        watch.rounds.decided()
        await watch.rounds.walk(1)

        found = await asyncio.wait_for(waiting, 60)
        assert found is not None
        assert found.state is State.APPROVED

    run(play(tmp_path, story))


def test_a_grant_for_later_is_known_at_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        watch = Watch(hall)
        made = await grant(hall)
        async with hall.office.write() as desk:
            found = await desk.access.grant(made)
            assert found is not None
            later = msgspec.structs.replace(found.grant, id="later", begins=NOW + 100)
            await desk.access.add_grant(msgspec.structs.replace(found, grant=later))

        await watch.rounds.walk(1)

        assert {each.id for each in watch.seen[0]} == {made, "later"}

    run(play(tmp_path, story))


def test_that_nobody_administers_any_more_is_told_once_until_somebody_does(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        watch = Watch(hall)
        everybody = hall.rules
        await watch.rounds.walk(1)
        assert watch.rounds.governed

        hall.rules = rules(ALICE, BOB)
        with capture_logs() as logs:
            await watch.rounds.walk(2)
            await watch.rounds.walk(3)
            await watch.rounds.walk(NOTICES)
        assert not watch.rounds.governed
        assert [each["event"] for each in logs if each["log_level"] == "error"] == [
            "administrators.none"
        ]

        hall.rules = everybody
        await watch.rounds.walk(1)
        assert watch.rounds.governed

    run(play(tmp_path, story))


def test_who_has_never_had_an_administrator_has_lost_none(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        hall.rules = rules(ALICE)
        watch = Watch(hall)
        for number in (1, 2, NOTICES):
            await watch.rounds.walk(number)

        assert watch.rounds.governed

    run(play(tmp_path, story))
