"""`torhaus version`."""

from pathlib import Path

from tests.torhaus.cli.terminal import torhaus
from torhaus import __version__


def test_it_prints_the_version(tmp_path: Path) -> None:
    assert torhaus("version", at=tmp_path).out == f"torhaus {__version__}\n"
    assert torhaus("version", "--json", at=tmp_path).json()["torhaus"] == __version__
