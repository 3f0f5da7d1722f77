"""One refresh for all callers of two gateways; a refresh token is never used twice."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.clients.pairs import Office, Pair, address, key, office, pair
from tests.torhaus.store.state.databases import CannotRunError, postgres

LASTS = 20
"""Seconds of an access token: of one so short, another is got when half of them are over."""
BETWEEN = 11.0
"""Seconds after which a token is due."""
CALLERS = 16
ROUNDS = 3

pytestmark = pytest.mark.slow


class World:
    def __init__(self, there: Office, both: Pair) -> None:
        self.there = there
        self.both = both

    def call(self, number: int, name: str = "alice") -> str:
        return self.both.said(number, name, "notes", "list_notes")


@pytest.fixture(scope="module")
def world(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    home: Path = tmp_path_factory.mktemp("refreshing")
    with ExitStack() as stack:
        try:
            url = stack.enter_context(postgres())
        except CannotRunError as error:
            pytest.skip(str(error))
        there = stack.enter_context(office(node, home, LASTS))
        config: dict[str, Any] = {
            "users": [
                {"email": address(name), "role": "all", "api_keys": [key(name)]}
                for name in ("boss", "alice", "bob")
            ],
            "roles": {"all": {"permissions": ["*"]}},
            "egress": {"allow": ["loopback"]},
            "storage": {"state": f"{url}/postgres"},
            "mcpServers": {"notes": there.server},
        }
        both = stack.enter_context(pair(config, home / "gateways"))
        yield World(there, both)


def test_many_callers_at_two_gateways_use_a_refresh_token_once(world: World) -> None:
    world.there.connect(world.both, 0, "alice")
    began = world.there.told("refreshed")

    for round in range(1, ROUNDS + 1):
        time.sleep(BETWEEN)
        with ThreadPoolExecutor(CALLERS) as pool:
            texts = list(pool.map(world.call, range(CALLERS)))
        assert all(text.startswith("alice-there") for text in texts), texts
        assert world.there.told("refreshed") == began + round

    assert world.there.told("reused") == 0


def test_whoever_is_offboarded_while_tokens_come_has_no_connection_left(world: World) -> None:
    world.there.connect(world.both, 1, "bob")
    time.sleep(BETWEEN)
    with ThreadPoolExecutor(CALLERS) as pool:
        calls = [pool.submit(world.both.call, n, "bob", "notes", "list_notes") for n in range(8)]
        gone = world.both.api(1, "boss", "POST", f"people/{address('bob')}/offboard")
        assert gone.is_success, gone.text
        for each in calls:
            each.exception()  # some were let in before, and others were not

    kept = world.both.api(0, "boss", "GET", "credentials?server=notes").json()
    assert address("bob") not in [each["user"] for each in kept]
    assert world.there.told("reused") == 0
