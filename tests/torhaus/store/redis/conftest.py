from collections.abc import Iterator
from contextlib import closing

import pytest

from tests.torhaus.store.redis.valkeys import Cluster, Sentinels, Valkey, play, valkey


@pytest.fixture(scope="session")
def server() -> Iterator[Valkey]:
    """One server for all tests that leave it as it was. Each has a namespace of its own."""
    with valkey() as one:
        yield one


@pytest.fixture(scope="session")
def own_clock() -> Iterator[Valkey]:
    """A server for tests that turn the clock and flush it."""
    with valkey() as one:
        yield one


@pytest.fixture
def own() -> Iterator[Valkey]:
    """A server of the test's own, to be stopped and killed."""
    with valkey() as one:
        yield one


@pytest.fixture
def pair() -> Iterator[Sentinels]:
    with closing(Sentinels()) as one:
        play(one.meet)
        yield one


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    with closing(Cluster()) as one:
        play(one.form)
        yield one
