"""One gateway for all tests that only call it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.torhaus.cli.terminal import Warm, configured


class Gate:
    """A running gateway: its address, and where its files are."""

    def __init__(self, running: Warm, home: Path) -> None:
        self.url = running.url()
        self.home = home
        self.data = home / "data"


@pytest.fixture(scope="package")
def gate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    home = tmp_path_factory.mktemp("gate")
    configured(home)
    with Warm("serve", "--port", "0", at=home) as running:
        yield Gate(running, home)
        assert running.stop() == 0, running.err
