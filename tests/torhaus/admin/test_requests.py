import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, MALLORY, Hall, play, until, wanted
from tests.torhaus.cast import NOW, run
from torhaus.admin.acts import CancelApproval, DecideApproval
from torhaus.admin.requests import MOST_GIVEN_UP, MOST_OPEN
from torhaus.edge.drive import Drive
from torhaus.model.approval import State
from torhaus.model.ports import LedgerError, StateError


def test_the_same_call_asks_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        one = await hall.asked()
        hall.clock.turn(5)
        other = await hall.asked()

        assert one == other
        assert (one.state, one.created, one.expires) == (State.PENDING, NOW, NOW + 900)
        assert hall.ends() == [("approval.requested", ALICE.email, "success")]
        assert len(hall.told) == 1

    run(play(tmp_path, story))


def test_twenty_askers_at_once_make_one_request(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await asyncio.gather(*(hall.asked() for _ in range(20)))

        assert len({each.id for each in asked}) == 1
        assert len(hall.told) == len(hall.ledger.durable) == 1

    run(play(tmp_path, story))


def test_those_who_may_decide_are_told_with_a_link(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        await hall.asked(digest=b"named", approvers=(("leads", "dana@example.org"), ("leads",)))

        first, second = hall.told
        assert first.to == ("bob@example.org", "carol@example.org", "dana@example.org")
        assert second.to == ("dana@example.org", "leads")
        assert first.link is not None
        assert first.link.startswith(f"https://gw.example.org/approvals/{asked.id}?t=")
        assert "n" not in first.facts
        hall.links.check(asked.id, first.link.partition("?t=")[2], NOW)

    run(play(tmp_path, story))


def test_an_approval_is_used_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        assert not await hall.requests.take(asked.id, wanted(), NOW)
        await hall.done(BOB, DecideApproval(asked.id, True))

        taken = await asyncio.gather(
            *(hall.requests.take(asked.id, wanted(), NOW) for _ in range(50))
        )

        assert sum(taken) == 1
        assert await hall.state(asked.id) is State.USED
        assert hall.ends()[-1] == ("approval.used", ALICE.email, "success")
        assert [end[0] for end in hall.ends()].count("approval.used") == 1

    run(play(tmp_path, story))


MISUSES = {
    "other arguments": {"digest": b"other"},
    "another user": {"requester": "mallory@example.org"},
    "the policy changed": {"policy_version": "v2"},
}


@pytest.mark.parametrize("changes", MISUSES.values(), ids=MISUSES)
def test_an_approval_is_for_nothing_else(changes: dict[str, str], tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        await hall.done(BOB, DecideApproval(asked.id, True))

        assert not await hall.requests.take(asked.id, wanted(**changes), NOW)
        assert await hall.state(asked.id) is State.APPROVED

    run(play(tmp_path, story))


def test_an_approval_ends_with_its_time(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        await hall.done(BOB, DecideApproval(asked.id, True))

        assert not await hall.requests.take(asked.id, wanted(), NOW + 900)
        assert await hall.requests.expire(NOW + 900) == 1
        assert await hall.requests.expire(NOW + 900) == 0
        assert await hall.state(asked.id) is State.EXPIRED
        assert hall.ends()[-1] == ("approval.expired", "torhaus", "success")

    run(play(tmp_path, story))


def test_a_cancelled_request_is_good_for_nothing(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        await hall.done(BOB, DecideApproval(asked.id, True))
        await hall.requests.cancel(asked.id, NOW)
        await hall.requests.cancel(asked.id, NOW)
        await hall.requests.cancel("unknown", NOW)

        assert not await hall.requests.take(asked.id, wanted(), NOW)
        assert hall.ends()[-1] == ("approval.cancelled", ALICE.email, "success")
        assert (await hall.asked()).id != asked.id

    run(play(tmp_path, story))


def test_an_approver_who_lost_his_right_has_approved_nothing(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        await hall.done(BOB, DecideApproval(asked.id, True))
        hall.changed(BOB, "developer")

        assert not await hall.requests.take(asked.id, wanted(), NOW)
        assert await hall.state(asked.id) is State.CANCELLED
        assert hall.ends()[-1] == ("approval.cancelled", "torhaus", "success")
        assert "admin permission on github" in hall.ledger.durable[-1].access_control.reason

    run(play(tmp_path, story))


def test_an_approver_who_left_has_approved_nothing(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        await hall.done(BOB, DecideApproval(asked.id, True))
        hall.without(BOB)

        assert not await hall.requests.take(asked.id, wanted(), NOW)
        assert await hall.state(asked.id) is State.CANCELLED

    run(play(tmp_path, story))


def test_a_request_that_expired_makes_room_for_a_new_one(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        old = await hall.asked()
        hall.clock.turn(900)

        new = await hall.asked()

        assert new.id != old.id
        assert await hall.state(old.id) is State.EXPIRED
        operations = [end[0] for end in hall.ends()]
        assert operations == ["approval.requested", "approval.expired", "approval.requested"]

    run(play(tmp_path, story))


def test_a_denial_stands_until_its_time_is_over(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        await hall.done(BOB, DecideApproval(asked.id, False))

        assert (await hall.asked()).state is State.DENIED
        hall.clock.turn(900)
        assert (await hall.asked()).state is State.PENDING

    run(play(tmp_path, story))


def test_one_caller_cannot_ask_without_end(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        for number in range(MOST_OPEN):
            await hall.asked(digest=bytes([number]))

        with pytest.raises(StateError, match="50 of your requests for approval are waiting"):
            await hall.asked(digest=b"one more")
        await hall.asked(requester=DANA.id, email=DANA.email)

    run(play(tmp_path, story))


def test_who_asks_and_gives_up_again_and_again_tells_approvers_so_often_only(
    tmp_path: Path,
) -> None:
    async def story(hall: Hall) -> None:
        async def given_up(number: int) -> None:
            asked = await hall.asked(digest=number.to_bytes(2, "big"))
            await hall.requests.cancel(asked.id, hall.clock())

        for number in range(MOST_GIVEN_UP):
            await given_up(number)

        with pytest.raises(StateError, match="100 of your requests for approval were given up"):
            await hall.asked(digest=b"one more")
        assert len(hall.told) == MOST_GIVEN_UP
        await hall.asked(requester=DANA.id, email=DANA.email)
        hall.clock.turn(3600)
        await given_up(MOST_GIVEN_UP)

    run(play(tmp_path, story))


def test_who_waits_hears_of_the_decision_at_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        waiting = asyncio.create_task(hall.requests.wait(asked.id, 60))
        await until(lambda: hall.requests.waiting.ids() != [])

        await hall.done(BOB, DecideApproval(asked.id, True))
        found = await waiting

        assert found is not None
        assert found.state is State.APPROVED
        assert hall.requests.waiting.ids() == []

    run(play(tmp_path, story))


def test_who_waits_in_another_process_hears_of_it_by_looking(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        waiting = asyncio.create_task(hall.requests.wait(asked.id, 60))
        await until(lambda: hall.requests.waiting.ids() != [])
        await hall.requests.look()
        async with hall.office.write() as desk:
            await desk.approvals.decide(asked.id, State.DENIED, BOB.id, "", NOW)
        assert not waiting.done()

        await hall.requests.look()
        found = await waiting

        assert found is not None
        assert found.state is State.DENIED

    run(play(tmp_path, story))


def test_waiting_ends_after_its_time(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()

        assert await hall.requests.wait(asked.id, 0) == asked
        assert await hall.requests.wait(asked.id, 0.01) == asked
        assert await hall.requests.wait("unknown", 60) is None

    run(play(tmp_path, story))


def test_every_method_may_be_awaited_from_a_drive(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        ended: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        seen: list[object] = []

        async def work() -> None:
            asked = await hall.requests.request(wanted(), NOW)
            seen.append(await hall.requests.wait(asked.id, 0.01))
            seen.append(await hall.requests.take(asked.id, wanted(), NOW))
            await hall.requests.cancel(asked.id, NOW)

        drive = Drive("me", work(), lambda _, error: ended.set_result(error))
        drive.step()

        assert await ended is None
        assert seen[1] is False
        assert hall.ends()[-1][0] == "approval.cancelled"

    run(play(tmp_path, story))


def test_what_has_begun_is_finished_though_the_caller_hangs_up(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        hall.ledger.hold()
        asking = asyncio.create_task(hall.requests.request(wanted(), NOW))
        await until(lambda: hall.ledger.waiting() > 0)

        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        hall.ledger.release()
        await hall.requests.close()

        async with hall.office.read() as desk:
            assert await desk.approvals.open(wanted()) is not None
        assert hall.ends() == [("approval.requested", ALICE.email, "success")]

    run(play(tmp_path, story))


def test_nothing_is_kept_that_cannot_be_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        await hall.done(BOB, DecideApproval(asked.id, True))
        hall.ledger.refuses = True

        with pytest.raises(LedgerError):
            await hall.requests.take(asked.id, wanted(), NOW)
        with pytest.raises(LedgerError):
            await hall.asked(digest=b"another")
        with pytest.raises(LedgerError):
            await hall.admin.perform(ALICE, CancelApproval(asked.id))

        assert await hall.state(asked.id) is State.APPROVED
        async with hall.office.read() as desk:
            assert await desk.approvals.open(wanted(digest=b"another")) is None
        assert len(hall.told) == 2

    run(play(tmp_path, story))


def test_a_stranger_among_the_requesters_is_recorded_without_roles(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        hall.without(MALLORY)
        await hall.asked(requester=MALLORY.id, email=MALLORY.email)

        assert hall.ledger.durable[-1].user.role == ""

    run(play(tmp_path, story))


def test_who_decides_sees_no_secret_of_the_call(tmp_path: Path) -> None:
    token = "ghp" + "_A1b2C3d4E5f6G7h8J9k0LmNoPqRsTuVwXyZa"

    async def story(hall: Hall) -> None:
        asked = await hall.asked(arguments=f'{{"text":"use {token}"}}')

        assert asked.wanted.arguments == '{"text":"use [redacted:github-token]"}'
        assert asked.wanted.digest == wanted(arguments=f'{{"text":"use {token}"}}').digest

        deep = "[" * 50_000 + f'"{token}"' + "]" * 50_000
        other = await hall.asked(arguments=f'{{"a":{deep}}}', digest=b"x" * 32)

        assert other.wanted.arguments.startswith('{"_withheld":')

    run(play(tmp_path, story))


def test_asking_and_using_say_what_the_call_came_with(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked(shown="key:adm_1")
        await hall.done(
            msgspec.structs.replace(BOB, shown="session:adm_2"), DecideApproval(asked.id, True)
        )
        await hall.requests.take(asked.id, wanted(shown="key:adm_3"), NOW)

        told = [(each.operation, each.credential) for each in hall.ledger.durable]
        assert told == [
            ("approval.requested", "key:adm_1"),
            ("approval.approved", "session:adm_2"),
            ("approval.used", "key:adm_3"),
        ]

    run(play(tmp_path, story))
