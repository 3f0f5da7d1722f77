import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import NOW, WANTED, approval, approved, wanted
from torhaus.model.approval import Approval, State
from torhaus.store.state.office import StateOffice

PROGRAM = Path(__file__).parent / "taking.py"


def test_a_request_comes_back_as_it_was_kept(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office:
            async with office.write() as desk:
                assert await desk.approvals.add(approved(comment="fine, “really”"))

            async with office.read() as desk:
                assert await desk.approvals.get("a1") == approved(comment="fine, “really”")
                assert await desk.approvals.get("a2") is None

    run(story())


def test_one_call_has_one_open_request(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            assert await desk.approvals.add(approval("a1"))
            assert not await desk.approvals.add(approval("a2"))
            assert await desk.approvals.open(WANTED) == approval("a1")

            assert await desk.approvals.move("a1", State.PENDING, State.CANCELLED)
            assert await desk.approvals.open(WANTED) is None
            assert await desk.approvals.add(approval("a2"))

    run(story())


OTHERS = {
    "other arguments": {"digest": b"another"},
    "another user": {"requester": "mallory@example.org"},
    "another policy version": {"policy_version": "v2"},
}


@pytest.mark.parametrize("changes", OTHERS.values(), ids=OTHERS)
def test_another_call_is_another_request(place: Place, changes: dict[str, str]) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.approvals.add(approved())

            assert await desk.approvals.open(wanted(**changes)) is None
            assert not await desk.approvals.take("a1", wanted(**changes), NOW)
            assert await desk.approvals.take("a1", WANTED, NOW)

    run(story())


@pytest.mark.parametrize("state", [each for each in State if each is not State.APPROVED])
def test_only_what_is_approved_can_be_used(place: Place, state: State) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.approvals.add(approved(state=state))

            assert not await desk.approvals.take("a1", WANTED, NOW)

    run(story())


def test_an_approval_is_used_once_and_in_time(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.approvals.add(approved())

            assert not await desk.approvals.take("a1", WANTED, NOW + 900)
            assert await desk.approvals.take("a1", WANTED, NOW + 899)
            assert not await desk.approvals.take("a1", WANTED, NOW + 899)

    run(story())


def test_of_fifty_takers_at_once_one_wins(place: Place) -> None:
    async def take(office: StateOffice) -> bool:
        async with office.write() as desk:
            return await desk.approvals.take("a1", WANTED, NOW)

    async def story() -> None:
        async with place.office() as one, place.office() as other:
            async with one.write() as desk:
                await desk.approvals.add(approved())

            taken = await asyncio.gather(*(take((one, other)[n % 2]) for n in range(50)))

        assert sum(taken) == 1

    run(story())


def test_of_the_takers_in_two_processes_one_wins(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number in range(20):
                kept = approved(f"a{number}", wanted=wanted(digest=bytes([number])))
                await desk.approvals.add(kept)

    run(story())
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, str(PROGRAM), str(place.home), place.url or ""]
    takers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environ) for _ in "12"
    ]
    won = [taker.communicate(timeout=120)[0].split() for taker in takers]

    assert [taker.returncode for taker in takers] == [0, 0]
    assert sorted(won[0] + won[1]) == sorted(f"a{number}" for number in range(20))


def test_a_decision_is_made_once_and_in_time(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.approvals.add(approval())

            late = await desk.approvals.decide("a1", State.APPROVED, "bob", "", NOW + 900)
            first = await desk.approvals.decide("a1", State.DENIED, "bob", "no", NOW + 5)
            second = await desk.approvals.decide("a1", State.APPROVED, "eve", "", NOW + 6)
            found = await desk.approvals.get("a1")

        assert (late, first, second) == (False, True, False)
        assert found == approval(
            state=State.DENIED, decided_by="bob", decided_at=NOW + 5, comment="no"
        )

    run(story())


def test_lists_have_the_newest_first(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number in range(5):
                state = State.PENDING if number % 2 else State.USED
                await desk.approvals.add(numbered(number, state))

            every = await desk.approvals.newest(None, 10)
            used = await desk.approvals.newest(State.USED, 2)
            older = await desk.approvals.newest(None, 10, before=NOW + 2)

        assert [each.id for each in every] == ["a4", "a3", "a2", "a1", "a0"]
        assert [each.id for each in used] == ["a4", "a2"]
        assert [each.id for each in older] == ["a1", "a0"]

    run(story())


def test_open_requests_are_overdue_when_their_time_is_over(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number, state in enumerate(State):
                await desk.approvals.add(numbered(number, state))

            assert await desk.approvals.overdue(NOW + 899, 10) == []
            late = await desk.approvals.overdue(NOW + 900, 10)

        assert {each.state for each in late} == {State.PENDING, State.APPROVED}

    run(story())


def test_waiting_requests_are_counted_by_requester(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number, state in enumerate(State):
                await desk.approvals.add(numbered(number, state))

            assert await desk.approvals.waiting(WANTED.requester, NOW) == 1
            assert await desk.approvals.waiting(WANTED.requester, NOW + 900) == 0
            assert await desk.approvals.waiting("somebody else", NOW) == 0
            assert await desk.approvals.given_up(WANTED.requester, NOW - 1) == 1
            assert await desk.approvals.given_up(WANTED.requester, NOW + 900) == 0
            assert await desk.approvals.given_up("somebody else", NOW - 1) == 0

    run(story())


def test_several_are_found_by_their_ids(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number in range(3):
                await desk.approvals.add(numbered(number, State.PENDING))

            found = await desk.approvals.those(["a0", "a2", "' OR 1=1 --"])

        assert {each.id for each in found} == {"a0", "a2"}

    run(story())


def numbered(number: int, state: State) -> Approval:
    own = wanted(digest=bytes([number]))
    return approval(f"a{number}", state=state, wanted=own, created=NOW + number)


def test_a_denial_is_found_for_its_own_call_while_it_lasts(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            await desk.approvals.add(approval("a1"))
            assert await desk.approvals.denied(WANTED, NOW) is None
            await desk.approvals.decide("a1", State.DENIED, "bob", "no", NOW + 5)

            found = await desk.approvals.denied(WANTED, NOW + 5)
            assert found is not None
            assert (found.id, found.comment) == ("a1", "no")
            assert await desk.approvals.denied(WANTED, found.expires) is None
            for changes in OTHERS.values():
                assert await desk.approvals.denied(wanted(**changes), NOW + 5) is None

    run(story())


def test_what_is_open_of_one_person_is_found_by_him(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office, office.write() as desk:
            for number, (email, state) in enumerate(
                (each, state) for each in ("a@example.org", "b@example.org") for state in State
            ):
                own = wanted(digest=bytes([number]), requester=email, email=email)
                await desk.approvals.add(approval(f"a{number}", state=state, wanted=own))

            found = await desk.approvals.of("b@example.org")

            assert {each.state for each in found} == {State.PENDING, State.APPROVED}
            assert {each.wanted.email for each in found} == {"b@example.org"}

    run(story())
