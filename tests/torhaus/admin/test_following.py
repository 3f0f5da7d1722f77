"""The live index in step with the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from math import inf
from pathlib import Path

import pytest

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.people import ALICE, BOB, credential, person, stop
from tests.torhaus.store.state.requests import NOW
from torhaus.admin.acts import Effect
from torhaus.admin.following import BELIEVED, Following
from torhaus.admin.live import LiveIndex
from torhaus.audit.acts import Act
from torhaus.model.desk import Office
from torhaus.model.person import Roster
from torhaus.model.ports import StateError
from torhaus.store.state.database import NAME

KEY = credential()


class Node:
    """One process of several."""

    def __init__(self, office: Office, *, shared: bool = False) -> None:
        self.now = NOW
        self.people: list[Roster] = []
        self.stopped = 0
        self.live = LiveIndex(office, lambda: self.now)
        self.following = Following(
            office,
            self.live,
            lambda: self.now,
            shared=shared,
            people=self._people,
            stops=self._stops,
        )

    async def _people(self, roster: Roster) -> None:
        self.people.append(roster)

    def _stops(self) -> None:
        self.stopped += 1


@asynccontextmanager
async def office(home: Path) -> AsyncIterator[Office]:
    async with Place(home, None).office() as made:
        yield made


def test_everything_is_known_before_anybody_calls(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as made:
            async with made.write() as desk:
                await desk.credentials.add(KEY, "")
                await desk.credentials.add(credential("over", expires=NOW), "")
                await desk.persons.put(person())
                await desk.stops.add(stop())
            node = Node(made)

            roster = await node.following.load()

            assert roster.persons == (person(),)
            assert node.live.find(KEY.digest) == KEY
            assert node.live.find(credential("over").digest) is None
            assert [each.id for each in node.live.stops] == ["s1"]
            assert node.live.until == inf

    run(story())


def test_what_one_node_does_another_hears(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as made:
            node = Node(made)
            await node.following.load()

            async with made.write() as desk:
                await desk.credentials.add(KEY, "")
                await desk.persons.put(person())
                await desk.stops.add(stop())
            await node.following.look()
            assert node.live.find(KEY.digest) == KEY
            assert [each.persons for each in node.people] == [(person(),)]
            assert node.stopped == 1

            async with made.write() as desk:
                await desk.credentials.end(KEY.digest, BOB, NOW)
                await desk.stops.lift("s1", BOB, NOW)
            await node.following.look()
            assert node.live.find(KEY.digest) is None
            assert node.live.stops == ()
            assert len(node.people) == 1

    run(story())


def test_where_nothing_has_changed_nothing_is_told(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as made:
            async with made.write() as desk:
                await desk.persons.put(person())
            node = Node(made)
            await node.following.load()

            await node.following.look()

            assert (node.people, node.stopped) == ([], 0)

    run(story())


def test_what_was_read_before_an_act_is_not_believed_after_it(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as made:
            node = Node(made)
            await node.following.load()
            async with made.write() as desk:
                await desk.credentials.add(KEY, "")

            class Racing:
                """An act of this process is kept while the database is read."""

                def read(self):
                    self._context = made.read()
                    return self

                async def __aenter__(self):
                    return await self._context.__aenter__()

                async def __aexit__(self, *problem):
                    await self._context.__aexit__(*problem)
                    ended = Effect(
                        result=None, act=Act(operation="x"), rule="", ended=(KEY.digest,)
                    )
                    node.live.happened(ended)

            node.following._office = Racing()
            await node.following.look()
            assert node.live.find(KEY.digest) is None
            assert node.following._turns.asked

            node.following._office = made
            async with made.write() as desk:
                await desk.credentials.end(KEY.digest, BOB, NOW)
            await node.following.look()
            assert node.live.find(KEY.digest) is None

    run(story())


def test_a_node_that_hears_nothing_of_a_shared_database_believes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as made:
            node = Node(made, shared=True)
            await node.following.load()
            assert node.live.until == NOW + BELIEVED

            node.now += 4
            await node.following.look()
            assert node.live.until == NOW + 4 + BELIEVED

            (tmp_path / NAME).unlink()
            node.now += 4
            with pytest.raises(StateError):
                await node.following.look()
            assert node.live.until == NOW + 4 + BELIEVED

    run(story())


def test_what_others_did_before_is_in_force_though_acts_of_this_process_come_in_between(
    tmp_path: Path,
) -> None:
    async def story() -> None:
        async with office(tmp_path) as made:
            node = Node(made)
            await node.following.load()
            async with made.write() as desk:
                await desk.credentials.add(KEY, "")
                await desk.persons.put(person())
            acts = iter(range(2))

            class Busy:
                """An act of this process is kept while the database is read, twice."""

                @asynccontextmanager
                async def read(self):
                    async with made.read() as desk:
                        yield desk
                    if next(acts, None) is not None:
                        node.live.happened(Effect(result=None, act=Act(operation="x"), rule=""))

            node.following._office = Busy()
            node.live.behind = node.following.catch_up

            assert await node.live.look(KEY.digest, "") == KEY
            assert [each.persons for each in node.people] == [(person(),)]

    run(story())


def test_of_two_looks_at_once_the_second_begins_when_the_first_has_ended(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as made:
            node = Node(made)
            await node.following.load()
            async with made.write() as desk:
                await desk.persons.put(person())
            order = list[str]()

            class Told:
                @asynccontextmanager
                async def read(self):
                    order.append("begins")
                    async with made.read() as desk:
                        yield desk
                    order.append("ends")

            node.following._office = Told()
            await asyncio.gather(node.following.look(), node.following.catch_up())

            assert order == ["begins", "ends"] * 2
            assert len(node.people) == 1

    run(story())


def test_when_credentials_were_shown_is_kept(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as made:
            async with made.write() as desk:
                await desk.credentials.add(KEY, "")
            node = Node(made)
            await node.following.load()
            node.live.lease(KEY.digest, ALICE, KEY).used = NOW + 7

            await node.following.tell()

            async with made.read() as desk:
                kept = await desk.credentials.named("k1")
            assert kept is not None
            assert kept.used == NOW + 7

    run(story())


def test_another_node_ends_what_this_one_has_ended_within_a_second(tmp_path: Path) -> None:
    async def story() -> None:
        async with office(tmp_path) as made:
            async with made.write() as desk:
                await desk.credentials.add(KEY, "")
            node = Node(made)
            await node.following.load()
            ended = asyncio.Event()
            node.live.ended = ended.set
            node.live.lease(KEY.digest, ALICE, KEY)
            running = asyncio.create_task(node.following.run())

            async with made.write() as desk:
                await desk.credentials.end(KEY.digest, BOB, NOW)
            await asyncio.wait_for(ended.wait(), 60)

            assert node.live.find(KEY.digest) is None
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)

    run(story())
