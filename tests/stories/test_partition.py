"""A PostgreSQL that is silent, dead, busy, or takes no changes: closed, and back by itself."""

import asyncio
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.stories.caller import Answer, Caller
from tests.stories.ending import ERIN, Desk
from tests.stories.town import KEYS, Town, server
from tests.stories.upstream import Upstream, within
from tests.torhaus.store.state.elephants import CannotRunError, Elephant
from torhaus.identity.keys import mint

BELIEVED = 5.0
"""Seconds for which keys of the database are good without a word from it, see identity.md."""
EARLY, LATE = 3.0, 2.0
"""How much sooner and later, on a machine that is busy with other tests."""
QUICK = 6.0
"""Seconds a call may take: what it needs is known, or it is refused."""
DEADLINE = 25.0
"""Seconds anything else may take that needs the database."""
BACK = 20.0
"""Seconds after which everything works again."""


@pytest.fixture(scope="module")
def elephant() -> Iterator[Elephant]:
    try:
        with Elephant() as one:
            yield one
    except CannotRunError as error:
        pytest.skip(str(error))


@pytest.fixture
def town(upstream: Upstream, elephant: Elephant, home: Path) -> Iterator[Town]:
    elephant.say("DROP SCHEMA public CASCADE", "CREATE SCHEMA public")
    config = {
        "mcpServers": {"scripted": server(upstream.url)},
        "storage": {"state": f"{elephant.url}/postgres"},
    }
    with Town(config, home) as running:
        yield running
        elephant.thaw()


@pytest.fixture
def key(town: Town) -> str:
    """Erin's, who is in the database alone."""
    desk = Desk(town)
    desk.hire()
    return str(desk.key()["key"])


def asked(
    town: Town, path: str, *, key: str = KEYS["ALICE_KEY"], method: str = "GET", body: Any = None
) -> tuple[int, dict[str, str], str, float]:
    """Status, headers, body and seconds."""
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    data = None if body is None else json.dumps(body)
    headers |= {} if data is None else {"Content-Type": "application/json"}
    began = time.monotonic()
    with closing(http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)) as line:
        line.request(method, path, data, headers)
        answer = line.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        return answer.status, told, answer.read().decode(), time.monotonic() - began


def call(town: Town, key: str) -> tuple[Answer, float]:
    began = time.monotonic()
    with Caller(town.port, key) as caller:
        answer = caller.tool("get_note")
    return answer, time.monotonic() - began


def good(town: Town, key: str) -> bool:
    return call(town, key)[0].status == 200


def last_good(town: Town, key: str, seconds: float) -> float:
    """Call again and again; after how many seconds the last one passed. All others are refused.

    Each that passes leaves its record.
    """
    before, passed = recorded(town), 0
    began, last, refused = time.monotonic(), 0.0, 0
    while (now := time.monotonic() - began) < seconds:
        answer, took = call(town, key)
        assert took < QUICK
        if answer.status == 200:
            assert not refused, f"it passed again after {now:.1f} s"
            last, passed = now, passed + 1
            assert "get_note" in answer.text
        else:
            refused += 1
            closed(answer)
        time.sleep(0.05)
    assert refused
    assert recorded(town) - before == passed
    return last


def recorded(town: Town) -> int:
    return sum(1 for each in town.records() if each["operation"] == "get_note")


def closed(answer: Answer) -> None:
    """It says that the gateway cannot know, and that to come back is worth it: 503, never 401."""
    assert answer.status == 503, answer
    assert "cannot reach its database" in answer.error["message"]
    assert 1 <= int(answer.headers["retry-after"]) <= 60
    assert "www-authenticate" not in answer.headers


def listening(town: Town, key: str) -> tuple[Caller, list[float]]:
    """An open stream, and when it has ended."""
    caller = Caller(town.port, key, patience=60.0)
    caller.begin()
    caller.listen()
    ended: list[float] = []

    def read() -> None:
        with suppress(OSError, ValueError):  # this side hung up
            for _ in caller.chunks():
                pass
            ended.append(time.monotonic())

    threading.Thread(target=read, daemon=True).start()
    return caller, ended


def test_a_silent_database_closes_the_gate_and_opens_it_again(
    town: Town, elephant: Elephant, key: str
) -> None:
    assert good(town, key)
    (erin, erin_ended), (bob, bob_ended) = (
        listening(town, key),
        listening(town, KEYS["BOB_KEY"]),
    )
    with closing(erin), closing(bob):
        elephant.freeze()
        began = time.monotonic()
        last = last_good(town, key, BELIEVED + 4)
        assert BELIEVED - EARLY < last < BELIEVED + LATE

        # Keys of the file go on, and so do their streams; others have ended.
        assert good(town, KEYS["BOB_KEY"])
        assert within(60, lambda: bool(erin_ended))
        assert erin_ended[0] - began < BELIEVED + QUICK
        assert not bob_ended
        the_house_says_so(town)
        nothing_hangs(town)

        elephant.thaw()
        thawed = time.monotonic()
        assert within(60, lambda: good(town, key))
        assert within(60, lambda: asked(town, "/ready")[0] == 200)
        assert asked(town, "/api/v1/people")[0] == 200
        assert time.monotonic() - thawed < BACK
        assert not bob_ended


def the_house_says_so(town: Town) -> None:
    assert asked(town, "/health", key="")[2] == '{"status": "healthy"}'
    status, _, body, took = asked(town, "/ready", key="")
    assert (status, took < QUICK) == (503, True)
    assert json.loads(body)["status"] == "not ready"
    assert "database" in json.loads(body)["state"]
    metrics = asked(town, "/metrics", key="")[2]
    assert "mcp_gateway_state_healthy 0.0" in metrics


def nothing_hangs(town: Town) -> None:
    """Everything else that would ask the database, many at once."""
    unknown, session = mint(b"u" * 32, "thk_"), mint(b"s" * 32, "ths_")

    def strange() -> None:
        answer, took = call(town, unknown)
        closed(answer)
        assert took < QUICK

    def strange_at_the_api() -> None:
        status, headers, body, took = asked(town, "/api/v1/people", key=unknown)
        assert (status, took < QUICK, "retry-after" in headers) == (503, True, True), body

    def reading() -> None:
        status, headers, body, took = asked(town, "/api/v1/people")
        assert (status, "retry-after" in headers) == (503, True), body
        assert took < DEADLINE

    def changing() -> None:
        body = {"email": "new@example.com", "roles": ["reader"]}
        status, _, said, took = asked(town, "/api/v1/people", method="POST", body=body)
        assert status == 503, said
        assert took < DEADLINE

    def paging() -> None:
        began = time.monotonic()
        with closing(http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)) as line:
            line.request("GET", "/me", headers={"Cookie": f"torhaus={session}"})
            answer = line.getresponse()
            assert answer.status == 503
            assert answer.getheader("retry-after")
            assert b"database" in answer.read()
        assert time.monotonic() - began < QUICK

    together([strange, strange_at_the_api, reading, changing, paging] * 4)


def together(what: list[Callable[[], None]]) -> None:
    with ThreadPoolExecutor(len(what)) as pool:
        for done in [pool.submit(each) for each in what]:
            done.result()


def test_a_database_that_dies_and_comes_back_needs_no_restart(
    town: Town, elephant: Elephant, key: str
) -> None:
    assert good(town, key)

    elephant.kill()
    last = last_good(town, key, BELIEVED + LATE + 1)
    assert BELIEVED - EARLY < last < BELIEVED + LATE
    the_house_says_so(town)
    nothing_hangs(town)

    elephant.start()
    assert within(60, lambda: good(town, key))
    assert within(60, lambda: asked(town, "/ready")[0] == 200)
    assert Desk(town).key()["key"]


def test_what_was_ended_meanwhile_is_ended_when_it_is_heard_again(
    town: Town, elephant: Elephant, key: str
) -> None:
    assert good(town, key)
    elephant.freeze()
    last_good(town, key, BELIEVED + 1)
    assert call(town, key)[0].status == 503
    elephant.thaw()
    elephant.say(f"UPDATE persons SET state = 'suspended' WHERE email = '{ERIN}'", *bumped())

    assert within(60, lambda: call(town, key)[0].status == 401)


def bumped() -> tuple[str, ...]:
    """What another gateway's act leaves."""
    return (
        "UPDATE revisions SET number = number + 1 WHERE name = 'all'",
        "UPDATE revisions SET number = (SELECT number FROM revisions WHERE name = 'all') "
        "WHERE name = 'people'",
    )


def test_whoever_keeps_every_connection_busy_keeps_no_caller_out(
    town: Town, elephant: Elephant, key: str
) -> None:
    """Writers wait in a queue for a lock that somebody holds; what others ended is still heard."""
    with held(elephant):
        done: list[tuple[int, float]] = []

        def write(number: int) -> None:
            body = {"email": f"w{number}@example.com", "roles": ["reader"]}
            status, _, _, took = asked(town, "/api/v1/people", method="POST", body=body)
            done.append((status, took))

        threads = [threading.Thread(target=write, args=(each,)) for each in range(20)]
        for each in threads:
            each.start()
        began = time.monotonic()
        while time.monotonic() - began < BELIEVED + 2:
            answer, took = call(town, key)
            assert answer.status == 200, answer
            assert took < QUICK
            time.sleep(0.05)
        for each in threads:
            each.join(60)
        assert {status for status, _ in done} == {503}
        assert len(done) == 20
        assert max(took for _, took in done) < DEADLINE + 1
    assert within(60, lambda: asked(town, "/api/v1/people")[0] == 200)
    assert Desk(town).key()["key"]


@contextmanager
def held(elephant: Elephant) -> Iterator[None]:
    """The row that every change counts in, locked by somebody else."""
    free, ready = threading.Event(), threading.Event()

    async def hold() -> None:
        line = await asyncpg.connect(f"{elephant.url}/postgres")
        async with line.transaction():
            await line.execute("SELECT * FROM revisions FOR UPDATE")
            ready.set()
            await asyncio.to_thread(free.wait)
        await line.close()

    thread = threading.Thread(target=lambda: asyncio.run(hold()))
    thread.start()
    assert ready.wait(60)
    try:
        yield
    finally:
        free.set()
        thread.join(60)


def test_a_server_that_takes_no_changes_any_more_is_not_believed(
    town: Town, elephant: Elephant, key: str
) -> None:
    """As a primary becomes when another takes its place (SQLSTATE 25006): its rows grow old."""
    assert good(town, key)

    elephant.say("ALTER SYSTEM SET default_transaction_read_only = on", "SELECT pg_reload_conf()")
    last = last_good(town, key, BELIEVED + LATE + 1)
    assert BELIEVED - EARLY < last < BELIEVED + LATE
    status, _, body, took = asked(town, "/api/v1/people", method="POST", body={"email": "n@x.org"})
    assert (status, took < QUICK) == (503, True), body
    assert "takes no changes" in body

    elephant.say("ALTER SYSTEM RESET default_transaction_read_only", "SELECT pg_reload_conf()")
    assert within(60, lambda: good(town, key))
    assert Desk(town).key()["key"]


def test_a_gateway_ends_in_order_while_its_database_is_silent(
    town: Town, elephant: Elephant, key: str
) -> None:
    elephant.freeze()
    last_good(town, key, BELIEVED + 1)
    began = time.monotonic()

    assert town.stop() == 0

    assert time.monotonic() - began < DEADLINE
