"""Who is let in right now, as one process knows it."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.cast import ALICE as WHO
from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE, BOB, credential, person, stop
from tests.torhaus.store.state.requests import NOW
from torhaus.admin.acts import Effect
from torhaus.admin.live import MOST_QUESTIONS, MOST_TOGETHER, LiveIndex
from torhaus.audit.acts import Act
from torhaus.identity.identify import key_id
from torhaus.model.credentials import Kept
from torhaus.model.desk import Office
from torhaus.model.person import PersonState
from torhaus.model.ports import StateError
from torhaus.model.stops import StopKind
from torhaus.store.state.database import NAME

IP = "203.0.113.7"

KEY = credential()
ACT = Act(operation="test")


class Clock:
    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> float:
        return self.now


@asynccontextmanager
async def index(home: Path) -> AsyncIterator[tuple[LiveIndex, Clock, list[str], Office]]:
    """The index, its clock, and a list that grows whenever leases end."""
    clock, ended = Clock(), list[str]()
    async with Place(home, None).office() as office:
        made = LiveIndex(office, clock)
        made.ended = lambda: ended.append("ended")
        yield made, clock, ended, office


def effect(**more: Any) -> Effect:
    return Effect(result=None, act=ACT, rule="", **more)


def test_what_is_issued_is_known_at_once_and_what_is_ended_is_not(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, ended, _office):
            live.happened(effect(issued=(KEY,)))
            assert live.find(KEY.digest) == KEY
            lease = live.lease(KEY.digest, ALICE, KEY)
            assert live.lease(KEY.digest, ALICE, KEY) is lease
            assert lease.until == KEY.expires
            assert ended == []

            live.happened(effect(ended=(KEY.digest,)))
            assert live.find(KEY.digest) is None
            assert lease.ended
            assert lease.until == -inf
            assert ended

    run(story())


def test_a_suspended_person_loses_every_lease_also_of_keys_of_the_file(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, ended, _office):
            live.load([KEY], [person()])
            leases = [live.lease(KEY.digest, ALICE, KEY), live.lease(b"file", ALICE, None)]
            other = live.lease(b"other", BOB, None)

            live.happened(effect(persons=(person(state=PersonState.SUSPENDED),)))

            assert [each.ended for each in leases] == [True, True]
            assert not other.ended
            assert ended == ["ended"]
            assert "suspended" in str(live.unwelcome(ALICE, "k1", NOW))
            assert live.unwelcome(BOB, "", NOW) is None

            live.happened(effect(persons=(person(),)))
            assert live.unwelcome(ALICE, "k1", NOW) is None
            assert not live.lease(KEY.digest, ALICE, KEY).ended

    run(story())


def test_a_stop_holds_a_user_or_one_key_until_it_is_over_or_lifted(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, clock, _, _office):
            user = stop("s1", kind=StopKind.USER, target=ALICE)
            key = stop("s2", kind=StopKind.KEY, target=key_id(b"x" * 32), expires=None)
            lease = live.lease(b"x" * 32, BOB, None)
            live.happened(effect(stop=user))
            live.happened(effect(stop=key))

            assert "an incident" in str(live.unwelcome(ALICE, "", clock.now))
            assert live.unwelcome(BOB, "other", clock.now) is None
            assert live.unwelcome(BOB, key_id(b"x" * 32), clock.now) is not None
            assert lease.ended
            assert live.unwelcome(ALICE, "", NOW + 3600) is None
            assert len(live.stops) == 2

            live.happened(effect(stop=stop("s2", kind=StopKind.KEY, lifted_at=NOW)))
            assert live.unwelcome(BOB, key_id(b"x" * 32), clock.now) is None
            assert [each.id for each in live.stops] == ["s1"]

    run(story())


def test_of_two_stops_the_longer_one_counts(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, _ended, _office):
            short = stop("s1", kind=StopKind.USER, target=ALICE, expires=NOW + 1)
            long = stop("s2", kind=StopKind.USER, target=ALICE, expires=None)
            for stops in ([short, long], [long, short]):
                live.stop(stops)
                found = live.stopped(StopKind.USER, ALICE, NOW + 5)
                assert found is not None
                assert found.id == "s2"

    run(story())


def test_who_acts_with_scopes_is_the_same_object_each_time(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, _ended, _office):
            free, held = credential(scopes=()), credential(scopes=("github:read",))

            assert live.acting(WHO, free) is WHO
            acting = live.acting(WHO, held)
            assert acting is live.acting(WHO, credential("k2", scopes=("github:read",)))
            assert acting is not live.acting(WHO, credential(scopes=("github:write",)))
            assert acting.id == WHO.id
            assert acting.scopes is not None

            live.forget()
            assert live.acting(WHO, held) is not acting

    run(story())


def test_scopes_that_cannot_be_read_open_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, _ended, _office):
            assert live.acting(WHO, credential(scopes=("nonsense",))).scopes == ()

    run(story())


def test_what_another_process_issued_is_looked_for(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, clock, _, office):
            async with office.write() as desk:
                await desk.credentials.add(KEY, "")
                await desk.credentials.add(credential("k2"), "")
                await desk.credentials.end(credential("k2").digest, BOB, NOW)
                await desk.credentials.add(credential("k3", expires=NOW), "")

            assert await live.look(KEY.digest, IP) == KEY
            assert live.find(KEY.digest) == KEY
            for gone in (credential("k2").digest, credential("k3").digest, b"x" * 32):
                assert live.worth_asking(gone, clock.now, IP)
                assert await live.look(gone, IP) is None
                assert not live.worth_asking(gone, clock.now, IP)
                assert live.worth_asking(gone, clock.now + 5.0, IP)

    run(story())


def test_strangers_cannot_keep_the_database_busy(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, clock, _, _office):
            for number in range(MOST_QUESTIONS):
                assert live.worth_asking(b"new", clock.now, IP)
                await live.look(b"%d" % number, IP)

            assert not live.worth_asking(b"new", clock.now, IP)
            assert live.worth_asking(b"new", clock.now, "203.0.113.8")
            assert live.worth_asking(b"new", clock.now + 1.0, IP)

            for number in range(MOST_TOGETHER):
                await live.look(b"%d" % number, f"2001:db8::{number:x}")
            assert not live.worth_asking(b"new", clock.now, "203.0.113.8")

    run(story())


def test_a_database_that_does_not_answer_has_not_said_no(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, clock, _, office):
            async with office.write() as desk:
                await desk.credentials.add(KEY, "")
            (tmp_path / NAME).rename(tmp_path / "aside")

            with pytest.raises(StateError):
                await live.look(KEY.digest, IP)

            (tmp_path / "aside").rename(tmp_path / NAME)
            assert live.worth_asking(KEY.digest, clock.now, IP)
            assert await live.look(KEY.digest, IP) == KEY
            assert live.holds

    run(story())


def test_whoever_has_many_addresses_asks_no_more_with_them(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, clock, _, _office):
            for number in range(MOST_QUESTIONS):
                await live.look(b"%d" % number, f"2001:db8::{number + 1:x}")

            assert not live.worth_asking(b"new", clock.now, "2001:db8::ffff")
            assert live.worth_asking(b"new", clock.now, "2001:db8:0:1::1")

    run(story())


class Meanwhile:
    """An office: right after something was read in it, something else happens."""

    def __init__(self, office: Office, happens: Callable[[], None]) -> None:
        self._office = office
        self._happens = happens

    @asynccontextmanager
    async def read(self) -> AsyncIterator[Any]:
        async with self._office.read() as desk:
            yield desk
        self._happens()


@pytest.mark.parametrize("where", ["here", "elsewhere"])
def test_what_ended_while_the_database_was_asked_stays_ended(where: str, tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, _ended, office):
            async with office.write() as desk:
                await desk.credentials.add(KEY, "")

            def ends() -> None:
                if where == "here":
                    live.happened(effect(ended=(KEY.digest,)))
                else:
                    live.changed([Kept(credential=KEY, ended=NOW)])

            live._office = Meanwhile(office, ends)  # type: ignore[misc,assignment]

            assert await live.look(KEY.digest, IP) is None
            assert live.find(KEY.digest) is None

    run(story())


def test_whatever_else_happens_while_the_database_is_asked_turns_nobody_away(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, _ended, office):
            async with office.write() as desk:
                await desk.credentials.add(KEY, "")
            other = effect(persons=(person(BOB),), ended=(credential("k2").digest,))
            live._office = Meanwhile(office, lambda: live.happened(other))  # type: ignore[misc,assignment]

            assert await live.look(KEY.digest, IP) == KEY
            assert live.find(KEY.digest) == KEY

            live.happened(effect(ended=(KEY.digest,)))
            assert live.find(KEY.digest) is None

    run(story())


def test_whose_credential_it_is_is_known_before_it_lets_anybody_in(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, _ended, office):
            async with office.write() as desk:
                await desk.credentials.add(KEY, "")
                await desk.credentials.add(credential("k2"), "")
            asked = list[str]()

            async def behind() -> None:
                asked.append("behind")
                live.told({ALICE: person()})

            live.behind = behind

            assert await live.look(KEY.digest, IP) == KEY
            assert await live.look(credential("k2").digest, IP) is not None
            assert await live.look(b"x" * 32, IP) is None
            assert asked == ["behind"]

    run(story())


def test_changes_of_others_are_taken_over(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, _ended, _office):
            live.changed([Kept(credential=KEY), Kept(credential=credential("k2"))])
            lease = live.lease(KEY.digest, ALICE, KEY)

            live.changed([Kept(credential=KEY, ended=NOW)])

            assert live.find(KEY.digest) is None
            assert lease.ended
            assert live.find(credential("k2").digest) is not None

    run(story())


def test_what_is_over_is_let_go_of(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, _ended, _office):
            live.load([credential(expires=NOW), credential("k2", expires=None)], [])

            live.sweep(NOW)

            assert live.find(credential().digest) is None
            assert live.find(credential("k2").digest) is not None

    run(story())


def test_use_of_credentials_of_the_database_is_told_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with index(tmp_path) as (live, _, _ended, _office):
            live.lease(KEY.digest, ALICE, KEY).used = NOW + 1
            live.lease(b"file", BOB, None).used = NOW + 1

            assert live.used(NOW) == {KEY.digest: NOW + 1}
            assert live.used(NOW + 1) == {}

    run(story())
