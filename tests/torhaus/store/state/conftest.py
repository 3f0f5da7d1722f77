"""Every test of this room runs on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torhaus.store.state.databases import KINDS, CannotRunError, Place, postgres


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """A running PostgreSQL."""
    try:
        with postgres() as url:
            yield url
    except CannotRunError as error:
        pytest.skip(str(error))


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    lite = request.param == "sqlite"
    return Place(tmp_path / "data", None if lite else request.getfixturevalue("server"))


@pytest.fixture
def empty(request: pytest.FixtureRequest, place: Place) -> Place:
    """On which no step has been done."""
    server = None if place.is_file else request.getfixturevalue("server")
    return Place(place.home, server, empty=True)


@pytest.fixture
def elephant(server: str, tmp_path: Path) -> Place:
    """PostgreSQL alone."""
    return Place(tmp_path / "data", server)


@pytest.fixture
def file(tmp_path: Path) -> Place:
    """SQLite alone; there is no file yet."""
    return Place(tmp_path / "data", None, empty=True)
