"""One upstream and one gateway for the stories that leave both as they were."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ports import free_port
from tests.stories.consent import CarefulTown
from tests.stories.town import Town, server
from tests.stories.tricks import TRICKS
from tests.stories.upstream import Upstream


@pytest.fixture(scope="package")
def upstream() -> Iterator[Upstream]:
    with Upstream(tricks=dict(TRICKS)) as running:
        yield running


@pytest.fixture(scope="package")
def old_upstream() -> Iterator[Upstream]:
    """One that knows sessions only."""
    with Upstream(tricks=dict(TRICKS), modern=False) as running:
        yield running


@pytest.fixture(scope="package")
def town(
    upstream: Upstream, old_upstream: Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Town]:
    config = {
        "server": {"max_body": "256KiB"},
        "mcpServers": {
            "scripted": server(upstream.url, timeout="20s"),
            "old": server(old_upstream.url, timeout="20s"),
            "hasty": server(upstream.url, timeout="1s"),
            "hasty-old": server(old_upstream.url, timeout="1s"),
            "patient": server(upstream.url, timeout="30s"),
            "down": server(f"http://127.0.0.1:{free_port()}/mcp"),
            "cached": server(upstream.url, cache={"ttl": 300}),
            "limited": server(upstream.url, rateLimit={"requests": 2, "window": 3600}),
        },
    }
    with Town(config, tmp_path_factory.mktemp("town")) as running:
        yield running


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path / "town"


@pytest.fixture(scope="package")
def careful(upstream: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CarefulTown]:
    with CarefulTown(upstream.url, tmp_path_factory.mktemp("careful")) as running:
        yield running


@pytest.fixture
def changing(upstream: Upstream, home: Path) -> Iterator[CarefulTown]:
    """One whose configuration a test may change."""
    with CarefulTown(upstream.url, home) as running:
        yield running


@pytest.fixture
def patient(upstream: Upstream, home: Path) -> Iterator[CarefulTown]:
    """One that keeps callers waiting for long."""
    with CarefulTown(upstream.url, home, hold="30s") as running:
        yield running
