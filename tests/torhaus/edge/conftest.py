from collections.abc import Iterator

import pytest

from tests.torhaus.store.redis.valkeys import Valkey, valkey


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    with valkey() as one:
        yield one


@pytest.fixture
def own() -> Iterator[Valkey]:
    with valkey() as one:
        yield one
