"""`secrets rekey` under load, at two gateways with one database: nothing is ever lost."""

import asyncio
import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients.pairs import Office, Pair, address, key, office, pair
from tests.stories.upstream import Talk, Upstream, within
from tests.torhaus.store.state.databases import CannotRunError, Place, postgres
from torhaus.admin.safe import Safe
from torhaus.model.vault import Content, Kept, VaultKind
from torhaus.store.keyring import Ring

PEOPLE = [f"p{n:04}" for n in range(400)]
SOME = PEOPLE[::20]
"""Those who call; the others have their rows alone."""
COMERS = [f"c{n:02}" for n in range(12)]
STORED = ("stored0", "stored1", "stored2", "stored3")
TIMES = 4
LASTS = 6
"""Seconds of an access token: each is refreshed several times."""

PAUSE = 0.1
"""Seconds after each job of a thread: they are to meet the new keys, not to fill a machine."""
AGAIN = 10
ENOUGH = 120
"""Seconds in which everybody has come and tokens were refreshed."""

pytestmark = pytest.mark.slow


def digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def token(name: str) -> str:
    return f"seeded-token-of-{name}"


def who(talk: Talk) -> None:
    """Which token it was shown, as nobody masks it."""
    talk.answer(talk.said(digest(talk.seen.headers["authorization"].removeprefix("Bearer "))))


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    try:
        with postgres() as url:
            yield Place(tmp_path / "unused", url)
    except CannotRunError as error:
        pytest.skip(str(error))


class Load:
    """Jobs that are done again and again, each in a thread, until it is over."""

    def __init__(self, *jobs: Callable[[int], None]) -> None:
        self._over = threading.Event()
        self.counts = [0] * len(jobs)
        self._pool = ThreadPoolExecutor(len(jobs))
        self._running = [self._pool.submit(self._run, at, job) for at, job in enumerate(jobs)]

    def _run(self, at: int, job: Callable[[int], None]) -> None:
        while not self._over.wait(PAUSE):
            job(self.counts[at])
            self.counts[at] += 1

    def goes_on(self) -> bool:
        """Raises what one of them has, else what waits for it would only wait in vain."""
        for each in self._running:
            if each.done():
                each.result()
        return True

    def end(self) -> None:
        """Raises what one of them has."""
        self._over.set()
        for each in self._running:
            each.result()
        self._pool.shutdown()


def patiently(act: Callable[[], None]) -> None:
    """On a busy machine the database may take too long: whoever is told so comes again."""
    for _ in range(AGAIN):
        try:
            act()
        except AssertionError as error:
            if "took too long" not in str(error):
                raise
        else:
            return
    act()


class World:
    """Two gateways, the server where people sign in, and one that says what it was shown."""

    def __init__(self, there: Office, both: Pair) -> None:
        self.there = there
        self.both = both
        self.connected: list[str] = []
        self.rotated = dict.fromkeys(STORED, "")
        self.interrupted = 0

    def connects(self, number: int) -> None:
        if number < len(COMERS):
            patiently(lambda: self._comes(number, COMERS[number]))
            self.connected.append(COMERS[number])

    def _comes(self, number: int, name: str) -> None:
        text = self.both.said(number, name, "notes", "list_notes")
        if not text.startswith(f"{name}-there"):
            self.there.connect(self.both, number, name)

    def calls(self, number: int) -> None:
        if self.connected:
            patiently(lambda: self._calls(number, self.connected[number % len(self.connected)]))

    def _calls(self, number: int, name: str) -> None:
        text = self.both.said(number, name, "notes", "list_notes")
        assert text.startswith(f"{name}-there"), text

    def rotates(self, server: str) -> Callable[[int], None]:
        def rotate(number: int) -> None:
            secret = f"secret-{server}-{number}"
            path = f"credentials/{server}/rotate" if number else f"credentials/{server}"
            body = {"secret": secret, **({} if number else {"kind": "bearer"})}
            reply, _ = self._post(number, path, body)
            assert reply.is_success, reply.text
            self.rotated[server] = secret

        return rotate

    def _post(self, number: int, path: str, body: object = None) -> tuple[httpx.Response, int]:
        """And how often it came again: on a busy machine the database may take too long."""
        reply, again = self.both.api(number, "boss", "POST", path, body), 0
        while reply.status_code == httpx.codes.SERVICE_UNAVAILABLE and again < AGAIN:
            reply, again = self.both.api(number, "boss", "POST", path, body), again + 1
        return reply, again

    def load(self) -> Load:
        return Load(self.connects, self.calls, self.calls, *map(self.rotates, STORED))

    def rekey(self, number: int) -> dict[str, Any]:
        reply, again = self._post(number, "credentials/rekey")
        assert reply.is_success, reply.text
        self.interrupted += again
        found: dict[str, Any] = reply.json()
        return found


def config(there: Office, upstream: Upstream, url: str) -> dict[str, Any]:
    names = ("boss", *SOME, *COMERS)
    stored = {name: {"url": upstream.url, "auth": {"type": "stored"}} for name in STORED}
    many = {"url": upstream.url, "auth": {"type": "oauth", "mode": "user"}}
    return {
        "users": [{"email": address(n), "role": "all", "api_keys": [key(n)]} for n in names],
        "roles": {"all": {"permissions": ["*"]}},
        "egress": {"allow": ["loopback"]},
        "storage": {"state": url},
        "mcpServers": {"notes": there.server, "many": many, **stored},
    }


async def fill(place: Place, url: str, safe: Safe) -> None:
    """Four hundred accounts that are connected at the server `many`."""
    async with place.office() as found, found.write() as desk:
        under = await safe.key(desk, 1.0)
        for name in PEOPLE:
            kept = Kept(
                id=f"vlt_{name}",
                server="many",
                email=address(name),
                kind=VaultKind.OAUTH_USER,
                key_id="",
                sealed=b"",
                created=1.0,
                created_by="",
                rotated=1.0,
            )
            await desk.vault.add(safe.sealed(kept, Content(value=token(name), resource=url), under))


async def rows(place: Place) -> list[Kept]:
    async with place.office() as found, found.read() as desk:
        return await desk.vault.every(10_000)


def safe_of(data: Path) -> tuple[Safe, Ring]:
    ring = Ring(data, {}, os.urandom)
    return Safe(ring.ring, os.urandom), ring


@pytest.fixture
def world(node: str, place: Place, tmp_path: Path) -> Iterator[World]:
    with ExitStack() as stack:
        there = stack.enter_context(office(node, tmp_path, LASTS))
        upstream = stack.enter_context(Upstream(tricks={"get_who": who}))
        asyncio.run(fill(place, upstream.url, safe_of(tmp_path / "gateways" / "data")[0]))
        both = pair(config(there, upstream, str(place.url)), tmp_path / "gateways")
        yield World(there, stack.enter_context(both))


def test_nothing_is_lost_however_often_the_key_changes(world: World, place: Place) -> None:
    load = world.load()
    done = []
    for number in range(TIMES):
        time.sleep(1.0)
        done.append(world.rekey(number))
    assert within(ENOUGH, lambda: load.goes_on() and len(world.connected) == len(COMERS))
    assert within(ENOUGH, lambda: load.goes_on() and world.there.told("refreshed") > TIMES)
    load.end()

    assert [each["lost"] for each in done] == [[]] * TIMES
    assert len({each["key"] for each in done}) == TIMES
    # Whoever goes on where he was interrupted has the rest to do.
    whole = sum(each["wrapped"] >= len(PEOPLE) for each in done)
    assert whole >= TIMES - world.interrupted
    assert sorted(world.connected) == COMERS
    assert min(load.counts) > TIMES
    assert world.there.told("reused") == 0
    _, ring = opened_with_the_file(world, place)
    # The key of before stays for once, in case a copy of the database is put back.
    assert world.interrupted or done[-1]["unused"] == [done[-3]["key"]]
    assert ring.ids() == (done[-1]["key"], done[-2]["key"])
    read_through(world, 0)
    read_through(world, 1)


def opened_with_the_file(world: World, place: Place) -> tuple[Safe, Ring]:
    safe, ring = safe_of(world.both.gateways[0].data)
    found = {each.id: each for each in asyncio.run(rows(place))}
    assert {each.key_id for each in found.values()} == {ring.ids()[0]}
    values = {id: safe.opened(each).value for id, each in found.items()}
    assert {f"vlt_{name}": token(name) for name in PEOPLE}.items() <= values.items()
    assert set(world.rotated.values()) <= set(values.values())
    return safe, ring


def read_through(world: World, number: int) -> None:
    """Everything is shown to servers as it was kept."""

    def shown(name: str, server: str = "many") -> str:
        return world.both.said(number, name, server, "get_who")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(shown, SOME)) == [digest(token(name)) for name in SOME]
    for server, secret in world.rotated.items():
        assert shown("boss", server) == digest(secret)
    for name in COMERS:
        text = world.both.said(number, name, "notes", "list_notes")
        assert text.startswith(f"{name}-there"), text
